#!/usr/bin/env node
const { main } = require("../dist/cli/tssaslpasswd.js");

main().then((code) => {
  process.exitCode = code;
});
