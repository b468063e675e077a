#!/usr/bin/env node
const { main } = require("../dist/cli/tsmap.js");

main().then((code) => {
  process.exitCode = code;
});
