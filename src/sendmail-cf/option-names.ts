/**
 * The options of sendmail 8.17 by their names (op.me, and the table of readcf.c).
 */
const NAMES = `
AliasFile AliasWait AllowBogusHELO AuthMaxBits AuthMechanisms AuthOptions AuthRealm BadRcptShutdown BadRcptShutdownGood
BadRcptThrottle BlankSub CACertFile CACertPath CRLFile CRLPath CertFingerprintAlgorithm CheckAliases CheckpointInterval
CipherList CipherSuites ClassFactor ClientCertFile ClientKeyFile ClientPortOptions ClientSSLOptions ColonOkInAddr
ConnectOnlyTo ConnectionCacheSize ConnectionCacheTimeout ConnectionRateThrottle ConnectionRateWindowSize
ControlSocketName DANE DHParameters DaemonPortOptions DataFileBufferSize DeadLetterDrop DefaultAuthInfo DefaultCharSet
DefaultUser DelayLA DeliverByMin DeliveryMode DialDelay DirectSubmissionModifiers DontBlameSendmail DontExpandCnames
DontInitGroups DontProbeInterfaces DontPruneRoutes DoubleBounceAddress EightBitMode ErrorHeader ErrorMode FallbackMXhost
FallbackSmartHost FastSplit ForkEachJob ForwardPath HeloName HelpFile HoldExpensive HostStatusDirectory HostsFile
IgnoreDots InputMailFilters LDAPDefaultSpec LogLevel MailboxDatabase MatchGECOS MaxAliasRecursion MaxDaemonChildren
MaxHeadersLength MaxHopCount MaxMessageSize MaxMimeHeaderLength MaxNOOPCommands MaxQueueAge MaxQueueChildren
MaxQueueRunSize MaxRecipientsPerMessage MaxRunnersPerQueue MeToo MinFreeBlocks MinQueueAge MustQuoteChars NiceQueueRun
NoRecipientAction OldStyleHeaders OperatorChars PidFile PostmasterCopy PrivacyOptions ProcessTitlePrefix QueueDirectory
QueueFactor QueueFileMode QueueLA QueueSortOrder QueueTimeout RandFile RecipientFactor RefuseLA RejectLogInterval
RejectNUL RequiresDirfsync ResolverOptions RetryFactor RrtImpliesDsn RunAsUser SSLEngine SSLEnginePath
SafeFileEnvironment SaveFromLine SendMimeErrors ServerCertFile ServerKeyFile ServerSSLOptions ServiceSwitchFile
SetCertAltnames SevenBitInput SharedMemoryKey SharedMemoryKeyFile SingleLineFromHeader SingleThreadDelivery
SmtpGreetingMessage SmtpUTF8 SoftBounce StatusFile StrictTransportSecurity SuperSafe TLSFallbacktoClear TLSSrvOptions
TempFileMode TimeZoneSpec Timeout TrustedUser TryNullMXList UnixFromLine UnsafeGroupWrites UseCompressedIPv6Addresses
UseErrorsTo UseMSP UserDatabaseSpec Verbose XscriptFileBufferSize
`
  .trim()
  .split(/\s+/);

export interface FoundOption {
  readonly name: string;
  /** Of which sendmail warns. */
  readonly isAbbreviated: boolean;
}

/** In lower case, in the order of the alphabet. */
const SORTED = NAMES.map((name) => ({ name, lower: name.toLowerCase() })).sort((a, b) => (a.lower < b.lower ? -1 : 1));

/**
 * The option that a line means.
 * @param text as it is written: letter case is all the same, and what begins one name alone stands for it.
 * @returns undefined where sendmail knows none, or several.
 */
export function findOption(text: string): FoundOption | undefined {
  const wanted = text.toLowerCase();
  let low = 0;
  for (let high = SORTED.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((SORTED[middle]?.lower ?? "") < wanted) low = middle + 1;
    else high = middle;
  }
  // Names that begin alike stand together, the shortest first.
  const [first, second] = SORTED.slice(low, low + 2);
  if (wanted === "" || first === undefined || !first.lower.startsWith(wanted)) return undefined;
  if (first.lower === wanted) return { name: first.name, isAbbreviated: false };
  return second?.lower.startsWith(wanted) ? undefined : { name: first.name, isAbbreviated: true };
}
