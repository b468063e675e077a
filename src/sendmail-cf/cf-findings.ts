/**
 * What the check of a configuration says: the one table of codes, and the only
 * English.
 *
 * What sendmail does is that of 8.17.1.9, as its -bt, -bs, -bv and -d show it.
 */

/** note: good to know, and no fault. */
export type CfStatus = "met" | "missing" | "wrong" | "note";

export type CfFindingCode =
  | "unknown-line"
  | "unknown-option"
  | "rule-without-tab"
  | "class-name-missing"
  | "indented-line"
  | "abbreviated-option"
  | "relay-domains-named"
  | "relay-domains-listed"
  | "relay-domains-missing"
  | "relay-domains-no-file"
  | "domains-file-found"
  | "domains-file-missing"
  | "domains-file-fatal"
  | "domains-file-empty"
  | "authentication-required"
  | "authentication-not-required"
  | "authentication-disabled"
  | "etrn-refused"
  | "etrn-allowed"
  | "daemon-missing"
  | "trusted-mechanisms-set"
  | "trusted-mechanisms-missing"
  | "trusted-mechanisms-lacking"
  | "mechanisms-set"
  | "mechanisms-missing"
  | "mechanisms-useless"
  | "mechanisms-common"
  | "mechanisms-not-common"
  | "smart-host-set"
  | "smart-host-missing"
  | "smart-host-other"
  | "mta-host-set"
  | "mta-host-missing"
  | "run-as-user-set"
  | "run-as-user-missing"
  | "run-as-user-root"
  | "map-named"
  | "map-line-missing"
  | "map-class-unknown"
  | "map-path-missing"
  | "map-line-twice"
  | "map-match-only"
  | "map-never-asked"
  | "map-optional"
  | "map-file-found"
  | "map-file-missing"
  | "map-file-unreadable"
  | "map-name-differs"
  | "map-type-differs"
  | "map-nul-asked"
  | "map-nul-not-asked"
  | "map-nul-mixed"
  | "map-case-folded"
  | "map-case-kept"
  | "map-readable"
  | "map-readable-by-all"
  | "map-not-readable"
  | "map-reader-unknown"
  | "map-folder-writable"
  | "map-folder-open"
  | "rules-complete"
  | "ruleset-missing"
  | "rule-missing"
  | "rule-blanks"
  | "rule-tab-misplaced"
  | "rule-side-missing"
  | "rules-order"
  | "rule-foreign"
  | "rule-misplaced"
  | "rule-comment"
  | "ruleset-twice"
  | "default-auth-info";

export interface CfFindingText {
  readonly status: CfStatus;
  /** What is so: `{name}` stands for an argument of the finding. */
  readonly what: string;
  /** What to do about it; none for what is met. */
  readonly mend?: string;
}

/** All findings by their codes. */
export const CF_FINDINGS: Readonly<Record<CfFindingCode, CfFindingText>> = {
  // The file.
  "unknown-line": {
    status: "wrong",
    what: "sendmail has no line that begins so: it neither serves nor delivers with such a line",
    mend: "remove it, or begin it with # for a comment, or with a blank if it belongs to the line before it",
  },
  "unknown-option": {
    status: "wrong",
    what: "sendmail 8.17 has no option {name}, or several that begin so: it neither serves nor delivers with such a line",
    mend: "write the option's name behind O and one blank, or remove the line",
  },
  "rule-without-tab": {
    status: "wrong",
    what: "no tab separates the two sides of this rule: sendmail neither serves nor delivers with such a line",
    mend: "a tab between the sides, and one before the comment",
  },
  "class-name-missing": {
    status: "wrong",
    what: "a blank stands where the name of the class has to be: sendmail takes the rest for a file, and neither serves nor delivers without it",
    mend: "no blank behind F",
  },
  "indented-line": {
    status: "wrong",
    what: "{text} begins with white space: it is part of the line before it, and does nothing",
    mend: "remove the white space",
  },
  "abbreviated-option": {
    status: "note",
    what: "the option {name} is an abbreviation, of which sendmail warns",
    mend: "write {option}",
  },

  // The relay.
  "relay-domains-named": { status: "met", what: "the domains that may relay are in {path}" },
  "relay-domains-listed": { status: "met", what: "the domains that may relay are on lines of the class R" },
  "relay-domains-missing": {
    status: "missing",
    what: "no line names the domains that may relay (class R)",
    mend: "FR-o {path}",
  },
  "relay-domains-no-file": {
    status: "wrong",
    what: "the line of the class R names no file",
    mend: "FR-o {path}, with a blank before the path",
  },
  "domains-file-found": { status: "met", what: "{path} names {count} domains" },
  "domains-file-missing": {
    status: "missing",
    what: "there is no {path}, which sendmail does not mind: no domain may relay",
    mend: "make it, with a domain to a line",
  },
  "domains-file-fatal": {
    status: "wrong",
    what: "there is no {path}, and without -o that is an error at every start",
    mend: "make it, with a domain to a line, and write FR-o {path}",
  },
  "domains-file-empty": { status: "wrong", what: "{path} names no domain: none may relay", mend: "write a domain to a line" },
  "authentication-required": { status: "met", what: "the daemon {daemon} asks for authentication (M={modifiers})" },
  "authentication-not-required": {
    status: "missing",
    what: "the daemon {daemon} takes mail without authentication: there is no a in M=",
    mend: "O DaemonPortOptions={options}",
  },
  "authentication-disabled": {
    status: "wrong",
    what: "the daemon {daemon} offers no authentication: A in M= turns it off, where a asks for it",
    mend: "O DaemonPortOptions={options}",
  },
  "etrn-refused": { status: "met", what: "the daemon {daemon} refuses ETRN (M={modifiers})" },
  "etrn-allowed": {
    status: "missing",
    what: "the daemon {daemon} allows ETRN: there is no E in M=",
    mend: "O DaemonPortOptions={options}",
  },
  "daemon-missing": {
    status: "missing",
    what: "no line sets the options of the port 25, which takes mail without authentication then",
    mend: "O DaemonPortOptions=Name=MTA, M=Ea",
  },
  "trusted-mechanisms-set": { status: "met", what: "who authenticates may relay: {mechanisms}" },
  "trusted-mechanisms-missing": {
    status: "missing",
    what: "no mechanism is trusted: who authenticates may not relay for that",
    mend: "C{TrustAuthMech}EXTERNAL GSSAPI OTP DIGEST-MD5 CRAM-MD5 LOGIN PLAIN",
  },
  "trusted-mechanisms-lacking": {
    status: "wrong",
    what: "{mechanisms} can be used, and is not trusted: who authenticates with it may not relay for that",
    mend: "add {mechanisms} to the line C{TrustAuthMech}",
  },

  // Both.
  "mechanisms-set": { status: "met", what: "mechanisms: {mechanisms}" },
  "mechanisms-missing": {
    status: "missing",
    what: "without the option AuthMechanisms there is neither LOGIN nor PLAIN",
    mend: "O AuthMechanisms={usual}",
  },
  "mechanisms-useless": {
    status: "wrong",
    what: "none of the mechanisms works with a user and a password: {mechanisms}",
    mend: "O AuthMechanisms={usual}, with blanks between the names",
  },
  "mechanisms-common": { status: "met", what: "both sides have {mechanisms}" },
  "mechanisms-not-common": {
    status: "wrong",
    what: "the two sides have no mechanism in common that works with a password: {own} here, {other} there",
    mend: "O AuthMechanisms={usual} on both sides",
  },

  // The client.
  "smart-host-set": { status: "met", what: "mail for elsewhere goes to {host}" },
  "smart-host-missing": { status: "missing", what: "no relay is named (DS)", mend: "DS{host}" },
  "smart-host-other": { status: "wrong", what: "mail for elsewhere goes to {found}", mend: "DS{host}" },
  "mta-host-set": { status: "met", what: "mail for local names goes to {host} (MTAHost)" },
  "mta-host-missing": {
    status: "wrong",
    what: "mail for local names goes nowhere: the macro {MTAHost} is empty",
    mend: "D{MTAHost}[127.0.0.1], or the relay's name in brackets",
  },
  "run-as-user-set": { status: "met", what: "the submission program runs as {user}" },
  "run-as-user-missing": {
    status: "missing",
    what: "the submission program has no user to run as, and refuses to run",
    mend: "O RunAsUser=smmsp, or another user that is not root",
  },
  "run-as-user-root": {
    status: "wrong",
    what: "the submission program refuses to run as root",
    mend: "O RunAsUser=smmsp, or another user that is not root",
  },
  "map-named": { status: "met", what: "the map authinfo is {class} {path}" },
  "map-line-missing": { status: "missing", what: "no line makes the map authinfo known", mend: "Kauthinfo hash {path}" },
  "map-class-unknown": {
    status: "wrong",
    what: "the class {class} of the map authinfo is none that makemap builds",
    mend: "Kauthinfo {type} {path}",
  },
  "map-path-missing": { status: "wrong", what: "the line of the map authinfo names no file", mend: "Kauthinfo hash {path}" },
  "map-line-twice": { status: "note", what: "the map authinfo is named again on line {last}, which counts", mend: "remove this line" },
  "map-match-only": {
    status: "wrong",
    what: "with -m the map returns the key in place of the user and the password",
    mend: "remove -m",
  },
  "map-never-asked": { status: "wrong", what: "with -N and -O together no key is ever found", mend: "remove both" },
  "map-optional": {
    status: "note",
    what: "-o: where the map cannot be opened, mail goes without authentication, and no message says so",
    mend: "remove -o, and sendmail says so",
  },
  "map-file-found": { status: "met", what: "{file} is a {type} file with {count} records" },
  "map-file-missing": { status: "missing", what: "there is no {file}", mend: "makemap {class} {path} < {path}" },
  "map-file-unreadable": {
    status: "wrong",
    what: "{file} is no database that is read here: {why}",
    mend: "makemap {class} {path} < {path}",
  },
  "map-name-differs": {
    status: "wrong",
    what: "the map authinfo is {path}, and the file {file} another",
    mend: "Kauthinfo {class} {path} with the path of the file",
  },
  "map-type-differs": {
    status: "wrong",
    what: "{file} is a {type} file, and the map is of the class {class}",
    mend: "Kauthinfo {type} {path}",
  },
  "map-nul-asked": { status: "wrong", what: "with -N only keys that end in a NUL are found: those of {file} do not", mend: "remove -N" },
  "map-nul-not-asked": { status: "wrong", what: "with -O no key that ends in a NUL is found: those of {file} do", mend: "remove -O" },
  "map-nul-mixed": {
    status: "wrong",
    what: "some keys of {file} end in a NUL and some do not: those of one kind alone are found",
    mend: "build the map anew",
  },
  "map-case-folded": {
    status: "wrong",
    what: "keys of {file} have upper-case letters ({count}): without -f none of them is found",
    mend: "build the map without -f",
  },
  "map-case-kept": {
    status: "wrong",
    what: "with -f the map is asked for AuthInfo: as it is written here, and the keys of {file} are in lower case",
    mend: "remove -f",
  },
  "map-readable": { status: "met", what: "the submission program can read {file}: its group is that of {user}" },
  "map-readable-by-all": {
    status: "note",
    what: "everybody can read the passwords in {file}",
    mend: "chgrp {group} {file}, chmod 0640 {file}",
  },
  "map-not-readable": {
    status: "wrong",
    what: "the submission program, in the group of {user}, cannot read {file} (mode {mode})",
    mend: "chgrp {group} {file}, chmod 0640 {file}",
  },
  "map-reader-unknown": {
    status: "note",
    what: "this host knows no user {user}: whether it can read {file} is not known here",
    mend: "check it on the client",
  },
  "map-folder-writable": {
    status: "wrong",
    what: "others than the owner may write to {folder}: sendmail run by root opens no map below it",
    mend: "chmod go-w {folder}",
  },
  "map-folder-open": {
    status: "note",
    what: "others than the owner may write to {folder}, and so put another map in the place of {file}: the submission program opens it all the same",
    mend: "chmod go-w {folder}",
  },
  "rules-complete": { status: "met", what: "the ruleset authinfo asks the map" },
  "ruleset-missing": { status: "missing", what: "there is no ruleset authinfo", mend: "the line Sauthinfo, and below it the five rules" },
  "rule-missing": { status: "missing", what: "the ruleset authinfo lacks its rule {number}", mend: "{rule}" },
  "rule-blanks": {
    status: "wrong",
    what: "rule {number} of the ruleset authinfo has blanks where a tab has to be: sendmail leaves it out, and does not serve or deliver with such a line",
    mend: "{rule}",
  },
  "rule-tab-misplaced": {
    status: "wrong",
    what: "the first tab in rule {number} of the ruleset authinfo is not the one between its two sides: sendmail reads another rule",
    mend: "{rule}",
  },
  "rule-side-missing": {
    status: "wrong",
    what: "rule {number} of the ruleset authinfo has no right side, since a blank stands between two tabs: sendmail does not serve or deliver with such a line",
    mend: "{rule}",
  },
  "rules-order": {
    status: "wrong",
    what: "the rules of the ruleset authinfo are in another order: {order}",
    mend: "put them in order: 1 2 3 4 5",
  },
  "rule-foreign": {
    status: "wrong",
    what: "a rule that is none of the five stands in the ruleset authinfo before its end",
    mend: "look at it, or remove it",
  },
  "rule-misplaced": {
    status: "wrong",
    what: "a rule that asks the map authinfo stands in the ruleset {ruleset}",
    mend: "move it below the line Sauthinfo",
  },
  "rule-comment": {
    status: "note",
    what: "the comment of rule 4 is part of what it returns, since blanks stand before it: that does no harm, as only the first word counts",
    mend: "a tab before the comment",
  },
  "ruleset-twice": {
    status: "note",
    what: "the ruleset authinfo begins again here: sendmail appends these rules to those before",
    mend: "remove one of the two",
  },
  "default-auth-info": {
    status: "note",
    what: "DefaultAuthInfo has no effect where there is a ruleset authinfo",
    mend: "remove it",
  },
};

export type CfArguments = Readonly<Record<string, string | number>>;

export function cfFindingText(code: CfFindingCode, args: CfArguments = {}): string {
  return fill(CF_FINDINGS[code].what, args);
}

/** @returns undefined for what is met. */
export function cfMendText(code: CfFindingCode, args: CfArguments = {}): string | undefined {
  const { mend } = CF_FINDINGS[code];
  return mend === undefined ? undefined : fill(mend, args);
}

/** Braces of sendmail's own stay. */
function fill(text: string, args: CfArguments): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(args[name] ?? whole));
}
