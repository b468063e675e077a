#!/usr/bin/env node
const { main } = require("../dist/cli/tsmakemap.js");

main().then((code) => {
  process.exitCode = code;
});
