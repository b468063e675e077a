#!/usr/bin/env node
const { main } = require("../dist/cli/tsmap.cjs");

main().then((code) => {
  process.exitCode = code;
});
