/**
 * Has a relay run until it is killed: on standard output, as a line of JSON,
 * the process namespace and the folder of the files.
 */
import { dirname } from "node:path";
import { GuideMachines } from "./guide-machines.ts";

const machines = await GuideMachines.start({ after: () => {} });
await machines.patch();
await machines.startRelay();
const namespace = (await machines.client.run("readlink", ["/proc/self/ns/pid"])).stdout.trim();
process.stdout.write(`${JSON.stringify({ namespace, folder: dirname(dirname(machines.relay.path("/etc"))) })}\n`);
