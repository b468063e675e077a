#!/usr/bin/env node
const { main } = require("../dist/cli/tsmakemap.cjs");

main().then((code) => {
  process.exitCode = code;
});
