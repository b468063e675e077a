/**
 * Builds the engine for `npm ci` and `npm run build`, and says what it is doing.
 */
import { SingleBar } from "cli-progress";
import { buildEngine } from "./build.ts";
import { BuildFailure } from "./failure.ts";
import { cacheFolder, libdbFolder, outputFolder } from "./paths.ts";

const say = (text: string): void => {
  process.stderr.write(`berkeley-db-js: ${text}\n`);
};

const bar = new SingleBar({
  format: "berkeley-db-js: {bar} {value}/{total} {unit}",
  barsize: 24,
  stream: process.stderr,
  hideCursor: true,
  clearOnComplete: true,
});

async function main(): Promise<void> {
  const start = performance.now();
  let drawn = false;
  const engine = await buildEngine({
    libdbFolder,
    cacheFolder,
    outputFolder,
    fresh: process.argv.includes("--fresh"),
    onStep: say,
    onProgress: (done, total, unit) => {
      if (!process.stderr.isTTY) return done > 0 ? say(`${done}/${total} ${unit}`) : undefined;
      if (!drawn) bar.start(total, done, { unit });
      else bar.update(done, { unit });
      drawn = true;
    },
  }).finally(() => bar.stop());
  if (!engine.built) return;
  say(`built ${engine.upstream} in ${((performance.now() - start) / 1000).toFixed(0)} s, sha256 ${engine.engineSha256}`);
}

main().catch((error: unknown) => {
  if (error instanceof BuildFailure) {
    process.stderr.write(`\nberkeley-db-js: ${error.message}\n\n${error.mend}\n\n`);
  } else {
    process.stderr.write(`berkeley-db-js: the build failed, which is a defect of it:\n`);
    console.error(error);
  }
  process.exitCode = 1;
});
