"""Surveys: questions to people about answers, by a link that is good for one response."""
