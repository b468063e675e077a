#!/usr/bin/env node
import { main } from "../dist/cli/tsmakemap.js";

process.exitCode = await main();
