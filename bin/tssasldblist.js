#!/usr/bin/env node
import { main } from "../dist/cli/tssasldblist.js";

process.exitCode = await main();
