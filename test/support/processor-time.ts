/**
 * Milliseconds of a processor that this process has taken: what a call takes,
 * however busy the machine is.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
