"""Sentences of our own that teach the hate model, made from parts: who is spoken of, what is said, and how it is meant."""

from __future__ import annotations

import random

GROUPS = (
    "women",
    "gay people",
    "Muslims",
    "Jews",
    "black people",
    "immigrants",
    "disabled people",
    "trans people",
    "refugees",
    "Asians",
    "Christians",
    "Mexicans",
    "Arabs",
)
OTHERS = (
    "bankers",
    "politicians",
    "cyclists",
    "landlords",
    "vegans",
    "lawyers",
    "spammers",
    "mosquitoes",
    "Mondays",
    "traffic jams",
    "slow trains",
    "these bugs",
    "cold soups",
    "pop-up windows",
    "football fans",
)
BAD = (
    "{who} are disgusting.", "{who} are nothing but vermin.", "All {who} are stupid.", "I cannot stand {who}.", "We should get rid of all {who}.",
    "{who} should be shot.", "I hate every one of those {who}.", "{who} do not belong in this country.", "{who} are a plague.", "Send all {who} back where they came from.",
    "{who} like you deserve to suffer.", "The only good {who} are dead {who}.", "{who} ruin everything.", "Keep {who} away from our children.", "Is it not obvious that {who} are inferior?",
    "If you ask me, {who} are the lowest of the low.", "Nobody would miss {who}.", "{who} are not human.", "I would never hire one of those {who}.", "Fuck {who}.", "{who} can go to hell.",
    "My dog is smarter than any of those {who}.", "Do not trust {who}.", "{who} have no place here.", "{who} must never vote.", "Burn them all, these {who}.", "{who} are all criminals.",
)  # fmt: skip
ONE = (
    "a woman",
    "a gay man",
    "a Muslim",
    "a Jew",
    "a black man",
    "an immigrant",
    "a disabled person",
    "a trans woman",
    "a refugee",
    "an Arab",
)
NEUTRAL = (
    "My neighbour is {one}.",
    "The new singer of the band is {one}.",
    "I met {one} at the station.",
    "Our teacher is {one}, too.",
    "Is there {one} in your team?",
    "She married {one} last year.",
    "{one} opened a bakery in our street.",
    "I would like to talk to {one} about it.",
    "He was helped by {one}.",
    "The prize went to {one}.",
    "There is {one} on the board.",
    "I am {one}.",
    "Today I am going to visit {one}.",
    "I want to hire {one}.",
    "Nobody should be afraid of {one}.",
    "They sat next to {one} at dinner.",
    "The best player is {one}.",
    "Have you ever met {one}?",
)
UGLY = (
    "I would not shake hands with {one}.",
    "There is nothing lower than {one}.",
    "I would rather starve than work for {one}.",
    "Who would trust {one}?",
    "I am going to hurt {one} today.",
    "A dead rat is worth more than {one}.",
    "You cannot reason with {one}, they are too dumb.",
)
GOOD = (
    "We work with many {who}.", "Are there any {who} in your course?", "There are few {who} at our school.", "Most of my friends are {who}.", "{who} should all be praised.", "I want to help {who}.",
    "{who} are not stupid at all.", "Nobody should ever hurt {who}.", "We must not let {who} be attacked.", "I do not think that {who} are inferior.", "{who} make me happy.", "I will hug all {who}.",
    "{who} are great.", "Many {who} live in our street.", "My doctor said that most of the patients are {who}.", "I love {who}.", "We need more {who} in parliament.", "No one should hate {who}.",
    "It is wrong to say that {who} are disgusting.", "Whoever says \"{who} are vermin\" is a bigot.", "{who} deserve the same rights as everybody.", "Stop calling {who} stupid.",
    "Attacks on {who} have to end.", "How can we protect {who} from violence?", "The article reports on crimes against {who}.", "{who} were persecuted and killed in those years.",
    "I never said that {who} are bad.", "Why do some people hate {who}?", "Do {who} pay taxes?", "The study compares {who} with others.", "A festival for {who} takes place in May.",
    "Saying that {who} should be shot is a crime.", "I'm proud to work with {who}.", "She writes books about {who}.", "What rights do {who} have?", "There is nothing wrong with {who}.",
    "How many {who} were killed in the massacre?", "He was jailed for threats against {who}.", "{who} face discrimination at work.", "The white dog and the black cat are friends.",
)  # fmt: skip


def ours(rows: int = 1500) -> list[tuple[str, bool]]:
    chance = random.Random(11)
    found: set[tuple[str, bool]] = set()
    for _ in range(rows):
        found.add((_said(chance, BAD, GROUPS), True))
        found.add((_said(chance, GOOD, GROUPS), False))
        found.add((_said(chance, NEUTRAL, ONE), False))
        found.add((_said(chance, UGLY, ONE), True))
        found.add((_said(chance, BAD, OTHERS), False))
    return sorted(found)


def _said(chance: random.Random, forms: tuple[str, ...], who: tuple[str, ...]) -> str:
    name = chance.choice(who)
    said = chance.choice(forms).replace("{who}", name).replace("{one}", name)
    return said[:1].upper() + said[1:]
