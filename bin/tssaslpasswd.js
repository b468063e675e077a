#!/usr/bin/env node
const { main } = require("../dist/cli/tssaslpasswd.cjs");

main().then((code) => {
  process.exitCode = code;
});
