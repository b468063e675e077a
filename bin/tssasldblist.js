#!/usr/bin/env node
const { main } = require("../dist/cli/tssasldblist.js");

main().then((code) => {
  process.exitCode = code;
});
