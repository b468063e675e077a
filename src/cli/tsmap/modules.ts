/**
 * Where each command of tsmap is: loaded when it is called. One by one, for
 * whoever follows imports.
 */
import type { CommandModule } from "./context.ts";

export const MODULES: Readonly<Record<string, () => Promise<CommandModule>>> = {
  auth: () => import("./auth.ts"),
  build: () => import("./build.ts"),
  "cf-check": () => import("./cf-check.ts"),
  "cf-patch": () => import("./cf-patch.ts"),
  check: () => import("./check.ts"),
  completion: () => import("./completion.ts"),
  convert: () => import("./convert.ts"),
  diff: () => import("./diff.ts"),
  dump: () => import("./dump.ts"),
  export: () => import("./export.ts"),
  get: () => import("./get.ts"),
  inspect: () => import("./inspect.ts"),
  lint: () => import("./lint.ts"),
  list: () => import("./list.ts"),
  load: () => import("./load.ts"),
  plan: () => import("./plan.ts"),
  probe: () => import("./probe.ts"),
  resolve: () => import("./resolve.ts"),
  scrub: () => import("./scrub.ts"),
  verify: () => import("./verify.ts"),
  watch: () => import("./watch.ts"),
};
