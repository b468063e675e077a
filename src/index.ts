/**
 * The library: its public names.
 * @module tsmakemap
 */

export {
  type Agreement,
  type AgreementSettings,
  checkAgreement,
  type MechanismVerdict,
} from "./authinfo/agreement.ts";
export type { Base64Fault } from "./authinfo/base64.ts";
export {
  type ClientAttempt,
  type ClientOutcome,
  type ClientSettings,
  DEFAULT_AUTH_MECHANISMS,
  type DeferredReason,
  predictClient,
  type WithoutAuthReason,
} from "./authinfo/client.ts";
export type { Edit, LintFinding } from "./authinfo/lint/finding.ts";
export { type FixedSource, fixSource } from "./authinfo/lint/fix-source.ts";
export { lintRecords } from "./authinfo/lint/lint-records.ts";
export { lintSource } from "./authinfo/lint/lint-source.ts";
export type { LintOptions } from "./authinfo/lint/options.ts";
export {
  type FindingArguments,
  findingText,
  LINT_RULES,
  type LintCode,
  mendText,
  type Rule,
  type Severity,
} from "./authinfo/lint/rules.ts";
export type { AuthinfoLookup, FoundEntry, FoundRecord, LookupStep, MapFlags, Server } from "./authinfo/lookup.ts";
export { type Expansion, expandPercent } from "./authinfo/percent.ts";
export { type MapRecord, type MissedKey, type Resolution, type ResolveSettings, resolveAuthinfo } from "./authinfo/resolve.ts";
export type { TokenFault } from "./authinfo/tokens.ts";
export {
  type AuthinfoCredentials,
  type AuthinfoFault,
  type AuthinfoItem,
  type AuthinfoParts,
  type AuthinfoStop,
  type AuthinfoTag,
  type AuthinfoValue,
  formatAuthinfoValue,
  parseAuthinfoValue,
} from "./authinfo/value.ts";
export type { FileId } from "./files/file-id.ts";
export { LockedError } from "./files/file-lock.ts";
export type { NewFile } from "./files/replacement.ts";
export { type Reader, type Reading, readersOf } from "./hash-file/compatibility.ts";
export { DatabaseFile, type Layout, type StoredRecord, type WalkOptions } from "./hash-file/database-file.ts";
export { HashFileError } from "./hash-file/error.ts";
export { type FileFormat, HASH_VERSIONS, type HashVersion, TARGETS, type TargetName, targetFormat } from "./hash-file/file-format.ts";
export { setHashVersion } from "./hash-file/hash-version.ts";
export type { BtreeLayout, HashLayout, PageLayout } from "./hash-file/layout.ts";
export type { OldHashLayout } from "./hash-file/old-hash-layout.ts";
export type { PageKind, PageUse } from "./hash-file/page-survey.ts";
export type { Stretch } from "./hash-file/unused-space.ts";
export type { VisitItem, VisitRecord, WalkedPages } from "./hash-file/visit.ts";
export type { SourceDiagnostic, SourceProblem } from "./makemap/diagnostic.ts";
export { MapBuilder, type MapBuilderOptions, MapWriteError } from "./makemap/map-builder.ts";
export { type OpenMapOptions, openMap } from "./makemap/map-dump.ts";
export { mapFile } from "./makemap/map-name.ts";
export { MAP_TYPES, type MapType } from "./makemap/map-type.ts";
export { type SourceOptions, SourceParser, type SourceSink } from "./makemap/source-parser.ts";
export {
  type Comparison,
  compareMaps,
  type Difference,
  type FormatDifference,
  type MapContent,
  type MapIndex,
  readContent,
  type StorageFormat,
} from "./map-file/comparison.ts";
export { type ConvertOptions, convert } from "./map-file/convert.ts";
export { DatabaseBuilder, type DatabaseBuilderOptions } from "./map-file/database-builder.ts";
export { type DumpHeader, dumpHeaderOf, TEXT_FORMATS, type TextFormat, TextWriter } from "./map-file/dump-text.ts";
export { type Inspection, inspect } from "./map-file/inspection.ts";
export { type LoadFormat, type LoadHeader, TextError, TextReader, type TextSink } from "./map-file/load-text.ts";
export type { MapKind, NulUse } from "./map-file/map-kind.ts";
export {
  type OpenDatabase,
  type ReadMapOptions,
  readMap,
  type SourceRecord,
  type SourceText,
  withMap,
} from "./map-file/read-map.ts";
export { type Scrubbed, type ScrubOptions, scrub } from "./map-file/scrub.ts";
export { type MaskedRecord, maskRecord } from "./map-file/secrets.ts";
export { type Problem, type Verification, verify } from "./map-file/verification.ts";
export {
  authenticate,
  LOGIN_MECHANISMS,
  type LoginAttempt,
  type Prediction,
  type SaslResult,
  type SaslServer,
} from "./sasldb/authenticate.ts";
export { SasldbError, UserExistsError } from "./sasldb/error.ts";
export { NEW_OTP_ALGORITHMS, type NewOtpAlgorithm, type OtpSecretOptions, otpSecret } from "./sasldb/otp.ts";
export { type PasswordDoubt, type PasswordFault, passwordDoubt, passwordFault } from "./sasldb/password.ts";
export {
  type Change,
  Sasldb,
  type SasldbUser,
  SECRET_MECHANISMS,
  type SecretMechanism,
  type SetPasswordOptions,
} from "./sasldb/sasldb.ts";
export { openSasldb, type UpdateOptions, updateSasldb } from "./sasldb/sasldb-file.ts";
export { SCRAM_MECHANISMS, type ScramMechanism, type ScramSecretOptions, scramSecret } from "./sasldb/scram.ts";
export {
  type CfFacts,
  type CfFinding,
  checkCf,
  type DomainsFacts,
  isCf,
  type MapFacts,
} from "./sendmail-cf/cf-check.ts";
export {
  CF_FINDINGS,
  type CfArguments,
  type CfFindingCode,
  type CfFindingText,
  type CfStatus,
  cfFindingText,
  cfMendText,
} from "./sendmail-cf/cf-findings.ts";
export {
  applyEdits,
  CF_REFUSALS,
  type CfEdit,
  type CfPatch,
  type CfRefusal,
  type CfRefusalCode,
  type ClientChanges,
  patchCf,
  type RelayChanges,
} from "./sendmail-cf/cf-patch.ts";
