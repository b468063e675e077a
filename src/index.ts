/**
 * tsmakemap as a library: the public names.
 */

export { type FileFormat, HASH_VERSIONS, type HashVersion, TARGETS, type TargetName, targetFormat } from "./hash-file/file-format.ts";
export { setHashVersion } from "./hash-file/hash-version.ts";
export type { SourceDiagnostic, SourceProblem } from "./makemap/diagnostic.ts";
export { MapBuilder, type MapBuilderOptions, MapWriteError } from "./makemap/map-builder.ts";
export { type OpenMapOptions, openMap } from "./makemap/map-dump.ts";
export { mapFile } from "./makemap/map-name.ts";
export { MAP_TYPES, type MapType } from "./makemap/map-type.ts";
export { type SourceOptions, SourceParser, type SourceSink } from "./makemap/source-parser.ts";
