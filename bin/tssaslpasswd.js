#!/usr/bin/env node
import { main } from "../dist/cli/tssaslpasswd.js";

process.exitCode = await main();
