/**
 * What has to be undone where a signal ends the program.
 */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/**
 * Others that end a program, and end it as one of these do. SIGQUIT would leave
 * an image of the memory, with what is secret in it; at SIGUSR1 Node would let
 * every user of the machine in, by its inspector.
 */
const LIKE = {
  SIGQUIT: "SIGINT",
  SIGUSR1: "SIGTERM",
  SIGUSR2: "SIGTERM",
  SIGALRM: "SIGTERM",
  SIGVTALRM: "SIGTERM",
  SIGXCPU: "SIGTERM",
} as const;

/** To be called first. */
export function endBySignals(): void {
  for (const [signal, as] of Object.entries(LIKE)) {
    if (process.listenerCount(signal) === 0) process.on(signal, () => void process.kill(process.pid, as));
  }
}

/**
 * Has `undo` called when a signal ends the program, which then ends by that
 * signal, as its parent expects.
 * @returns a function that takes it back.
 */
export function onSignal(undo: () => void): () => void {
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      undo();
      process.removeListener(signal, handler);
      process.kill(process.pid, signal);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  return () => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  };
}

/** A file size limit is then an error of the write, and no signal. */
export function ignoreFileSizeSignal(): void {
  if (process.listenerCount("SIGXFSZ") === 0) process.on("SIGXFSZ", () => {});
}
