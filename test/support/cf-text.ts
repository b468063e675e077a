/**
 * Small configurations of our own, which have the lines that the guide is about.
 */

/** As on a relay, before anything is done. */
export const RELAY_CF = `V10/Test
# Hosts for which relaying is permitted ($=R)
#FR-o /etc/mail/relay-domains

# Name used for error messages and logging
O DaemonPortOptions=Name=MTA
O DaemonPortOptions=Port=587, Name=MSA, M=E

# list of authentication mechanisms
#O AuthMechanisms=EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5

Sauthinfo

Mlocal,\t\tP=/bin/true,
\t\tA=true $u
`;

/** As on a client. */
export const SUBMIT_CF = `V10/Test
# "Smart" relay host (may be null)
DS

# arithmetic map
Karith arith

D{MTAHost}[127.0.0.1]
DZ8.17.1/Submit
O RunAsUser=smmsp

# list of authentication mechanisms
#O AuthMechanisms=EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5

# a name with a byte of its own: \xe9
Sauthinfo

Sother
R$*\t\t$: $1\ta comment
`;
