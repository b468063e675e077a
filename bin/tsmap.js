#!/usr/bin/env node
import { main } from "../dist/cli/tsmap.js";

process.exitCode = await main();
