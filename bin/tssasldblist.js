#!/usr/bin/env node
const { main } = require("../dist/cli/tssasldblist.cjs");

main().then((code) => {
  process.exitCode = code;
});
