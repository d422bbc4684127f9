// Made from docs/man/weir.1 by the test `the embedded manual equals the page`; change that file instead.
// swift-format-ignore-file

/// The manual page, so that the binary can install it.
enum ManualPage {
  static let text = #"""
'\" t
.TH WEIR 1 "2026-11-23" "weir 0.1.0" "User Commands"
.SH NAME
weir \- say what may leave a machine, and know that nothing else does
.SH SYNOPSIS
.nf
\fBweir policy list\fR [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir policy check\fR|\fBshow\fR \fIPOLICY\fR [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir print\fR \fIPOLICY\fR [\fB\-\-format\fR \fInft\fR|\fIjson\fR|\fIbytecode\fR|\fItable\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-resolve\fR \fIPIN\fR]...
\fBweir explain\fR \fIPOLICY\fR \fIFLOW\fR... [\fB\-\-format\fR \fItext\fR|\fIjson\fR] [\fB\-\-resolve\fR \fIPIN\fR]...
\fBweir verify\fR \fIPOLICY\fR [\fB\-\-rung\fR \fIRUNG\fR]... [\fB\-\-cases\fR \fIFILE\fR] [\fB\-\-no\-trace\fR] [\fB\-\-probes\fR \fIN\fR]
            [\fB\-\-scope\fR \fIhost\fR|\fIcgroup\fR|\fIuser\fR|\fIinterface\fR]
            [\fB\-\-format\fR \fItext\fR|\fIjson\fR|\fIjunit\fR] [\fB\-\-resolve\fR \fIPIN\fR]...
\fBweir apply\fR \fIPOLICY\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-dry\-run\fR] [\fB\-\-allow\-unresolved\fR]
           [\fB\-\-confirm\fR \fITIME\fR] [\fB\-\-no\-diff\fR] [\fB\-\-keep\-existing\fR] [\fB\-\-force\fR]
           [\fB\-\-without\fR \fIESSENTIAL\fR]... [\fB\-\-resolv\-conf\fR \fIFILE\fR]
           [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-resolver\fR \fISERVER\fR]... [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir confirm\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir refresh\fR \fIPOLICY\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
           [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-resolver\fR \fISERVER\fR]... [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir status\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir remove\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
\fBweir reap\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-idle\fR \fITIME\fR] [\fB\-\-dry\-run\fR] [\fB\-\-force\fR]
          [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir install\fR \fIPOLICY\fR [\fB\-\-root\fR \fIFOLDER\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-guard\fR \fIPATH\fR] [\fB\-\-scopes\fR \fIPATH\fR] [\fB\-\-dry\-run\fR]
             [\fB\-\-allow\-unresolved\fR] [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-resolver\fR \fISERVER\fR]... [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir uninstall\fR [\fB\-\-root\fR \fIFOLDER\fR] [\fB\-\-table\fR \fINAME\fR]
\fBweir guard\fR \fIPOLICY\fR [\fB\-\-restore\fR] [\fB\-\-grace\fR \fITIME\fR] [\fB\-\-feeds\fR \fIFEEDS\fR] [\fB\-\-status\fR \fIPLACE\fR] [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
           [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-resolver\fR \fISERVER\fR]... [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir feeds update\fR \fIFEEDS\fR [\fB\-\-due\fR] [\fB\-\-accept\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir feeds list\fR \fIFEEDS\fR [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir meter\fR [\fB\-\-start\fR | \fB\-\-stop\fR] [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir quota set\fR \fIQUOTA\fR \fISCOPE\fR | \fB\-\-host\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir quota list\fR | \fBroll\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
\fBweir quota remove\fR \fISCOPE\fR... | \fB\-\-host\fR | \fB\-\-all\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
\fBweir quota restore\fR \fIFILE\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
\fBweir seal add\fR \fILINK\fR... [\fB\-\-allow\-dhcp\fR] [\fB\-\-dry\-run\fR] [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir seal list\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir seal remove\fR \fILINK\fR... | \fB\-\-all\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
\fBweir scope add\fR \fISCOPE\fR \fIPOLICY\fR [\fB\-\-keep\-existing\fR] [\fB\-\-force\fR] [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-resolver\fR \fISERVER\fR]...
\fBweir scope apply\fR \fISITE\fR [\fB\-\-keep\-existing\fR] [\fB\-\-force\fR] [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-resolver\fR \fISERVER\fR]...
\fBweir scope list\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
\fBweir scope remove\fR \fISCOPE\fR... | \fB\-\-all\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR]
\fBweir scope watch\fR \fISITE\fR [\fB\-\-restore\fR] [\fB\-\-grace\fR \fITIME\fR] [\fB\-\-keep\-existing\fR] [\fB\-\-force\fR] [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-resolver\fR \fISERVER\fR]...
\fBweir snapshot\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-output\fR \fIFILE\fR] [\fB\-\-rules\-only\fR]
\fBweir audit\fR \fIPOLICY\fR [\fISCOPE\fR] [\fB\-\-snapshot\fR \fIFILE\fR | \fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-confirm\fR]
           [\fB\-\-format\fR \fItext\fR|\fIjson\fR|\fIsarif\fR|\fIcertificate\fR] [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-intervals\fR \fIN\fR]
\fBweir diff\fR \fIA\fR \fIB\fR [\fB\-\-netns\fR \fIPLACE\fR] [\fB\-\-table\fR \fINAME\fR] [\fB\-\-resolve\fR \fIPIN\fR]... [\fB\-\-format\fR \fItext\fR|\fIjson\fR]
.fi
.SH DESCRIPTION
weir compiles a written egress policy to nftables rules, installs them through netlink, and shows by replay that they
hold. \fIPOLICY\fR is a file, or the name of a policy that weir carries. Every verb takes \fB\-\-help\fR.
.SH VERBS
.TP
.B policy list
List the policies that weir carries.
.TP
.B policy check
Read a policy and report everything that is wrong with it.
.TP
.B policy show
Show the effective policy with the origin of each value.
.TP
.B print
Print the rules. Needs no right and no network. The default form loads with \fBnft \-f\fR.
.TP
.B explain
Say what a policy decides about a flow, by which clause and through which rules. A \fIFLOW\fR is
[in|out] PROTOCOL [from END] [to] END; an END is address:port, [v6]:port, :port, or name:port.
.TP
.B verify
Replay the policy's tests and generated probes. The rungs are \fIreference\fR (the policy's own tests against a plain walk
over the policy), \fIinterpreter\fR (the compiled bytecode in a model of the kernel), \fIsymbolic\fR (the
compiled bytecode for every packet at once, against the policy's packet set), \fIpacket\fR (the real kernel, raw
packets of every shape) and \fIconnection\fR (the real kernel, TCP and UDP conversations). All must agree. Kernel rungs run
in network namespaces made for them, as root or as an ordinary user where user namespaces are allowed. With
\fB\-\-scope\fR the policy is replayed as \fBscope\fR puts it in force: in a cgroup, for a user or behind a link that are made
for it; sockets of others, and sockets that change hands, are tried too.
.TP
.B apply
Install a policy. The new rules are preloaded unreferenced, read back, compared, swapped in by one small transaction and
read back again; then the old ones are removed. Killed at any moment, the old or the new rules are whole. The same policy
twice changes nothing. Tables of others are never touched. With \fB\-\-confirm\fR it is on trial.
It shows which packets will change verdict, and afterwards whether the rules read back change exactly these; \fB\-\-no\-diff\fR
leaves that out.
Open flows that the policy denies are ended, except on trial or with \fB\-\-keep\-existing\fR. Nothing is done that would
cut the connection that the caller works through, or what the host uses now and cannot do without for long, unless
\fB\-\-force\fR says so: the resolvers that packets reach, DHCP where a client runs, the time servers that it speaks with.
.TP
.B confirm
Keep the policy that is on trial, in one transaction. Exit code 1 when no trial runs, or none any more.
.TP
.B refresh
Renew the addresses of an installed policy's names, in place. A name that no longer resolves keeps its addresses.
.TP
.B status
Show which policy is in force, what each clause has denied, and the trial that runs with the time left.
.TP
.B remove
Remove weir's table, and with it a trial that runs.
.TP
.B reap
Destroy TCP sockets that have carried no data for as long as the policy in force says: their programs read an aborted
connection, the other ends get a reset. The caller's own connections stay, unless \fB\-\-force\fR says otherwise. Connected
UDP sockets are counted and left: the kernel keeps no time of them.
.TP
.B install
Write the compiled rules, rules that let nothing leave for when those cannot be loaded, and a systemd unit that loads them at
every boot before the network is up. The text is loaded into a namespace made for it and compared first. The rules in force
now are left alone.
.TP
.B uninstall
Remove what \fBinstall\fR wrote, and nothing else. The rules in force stay.
.TP
.B guard
Watch over a policy that is in force, in the foreground until SIGTERM or SIGINT: tell who changes rules, compare weir's table
and the claims of an audit with what they were, renew names before their answers end. A policy or list file that changes is read
again: what it only shuts is put in force, what it would open is held until SIGHUP or \fBapply\fR confirms it. SIGHUP reads the
policy again and installs it. Where the policy has a \fIlog\fR, denied packets become lines. The rules stand whatever becomes of it.
.TP
.B feeds
Keep published lists of address ranges as list files for policies: \fBupdate\fR fetches what a feeds file names and puts what is
believed in the list files, \fBlist\fR tells how old those are. An edition that is empty, no list, too large, too old, much smaller
or too wide is refused, and the file stays the last good edition (exit code 1). Needs no privilege.
.TP
.B meter
Show how many packets and bytes have left and entered since the meter was started, by family, each counted once behind all
other rules and without the loopback. Exit code 1 when no meter runs.
.TP
.B quota
Say how many bytes a cgroup, a user, a link or the namespace may send: \fBset\fR gives a quota like \fI10GiB/day\fR, or \fInone\fR to
count alone; beyond it packets are denied until the hour, day or week is over. \fBlist\fR shows what was sent (exit code 1 when one is
spent), \fBroll\fR begins those anew whose window is over, \fBremove\fR takes quotas away, \fBrestore\fR brings back what was listed
as JSON.
.TP
.B seal
Let packet sockets send nothing by a link: \fBadd\fR seals links, in a table of their netdev egress hook that drops and counts the frames
of packet sockets and passes all else; \fBlist\fR tells which are sealed, which are not, and what was dropped (exit code 1 when a sealed
link is gone or somebody changed the table), \fBremove\fR takes seals away. A link that is not there is an error before anything is sent.
DHCP clients, LLDP, 802.1X, PPPoE discovery and macvtap guests are cut as well; AF_XDP sockets, and packet sockets of other namespaces,
are not.
.TP
.B scope
Give scopes of one namespace policies of their own: \fBadd\fR binds one, \fBapply\fR makes the scopes those of a site file,
\fBlist\fR tells which there are and which are not what they were (exit code 1), \fBremove\fR takes them out, \fBwatch\fR keeps those of a site bound while they come and go.
\fBadd\fR and \fBremove\fR tell of the scopes that they changed alone, and cost the same however many others there are. A scope that does not
exist is an error before anything is sent. \fISCOPE\fR is one of \fB\-\-cgroup\fR, \fB\-\-user\fR and \fB\-\-interface\fR.
.TP
.B snapshot
Record everything nf_tables holds in a namespace, of every program, at one moment, and the host facts that decide what can
leave besides. Taking a snapshot needs CAP_NET_ADMIN; what may not be read is in it as unknown. Reading one needs nothing.
.TP
.B audit
Decide for every packet at once whether a host holds a policy, whoever wrote its rules. Each claim holds, fails with a packet
or a thing that breaks it, or is unknown with the expression that is not modelled: what leaves is allowed, what is allowed can
leave, nothing enters unasked, no socket listens beyond the policy, open flows are within it, and the known ways around packet
rules are absent. Where weir's table is there, it must be what weir would install. Nothing is changed.
.TP
.B diff
Show which packets two sides treat differently. A side is a policy, a snapshot file, or \fIlive\fR for the running kernel (of
the namespace that \fB\-\-netns\fR names). Decides for all packets at once: what differs is told by region, with one packet
each and the rules on both sides; that nothing differs is a proof. Dropped and rejected packets are the same to it.
.SH OPTIONS
.TP
.BI \-\-netns " PLACE"
The network namespace: a name from /run/netns, a process id, or a path. Default: the caller's own.
.TP
.BI \-\-table " NAME"
The name of the nftables table. Default: weir.
.TP
.BI \-\-resolve " PIN"
\fIname\fR=\fIaddress\fR,...: use these addresses for a name instead of asking. May be repeated. Addresses outside the
name's \fBwithin\fR are refused as answers are.
.TP
.BI \-\-resolver " SERVER"
\fIaddress\fR[:\fIport\fR]: ask this DNS server instead of the system's. May be repeated.
.TP
.B \-\-dry\-run
Say what would be done, and change nothing.
.TP
.B \-\-allow\-unresolved
Install although a name has no usable address; its exception stays shut.
.TP
.BI \-\-rung " RUNG"
Run this rung only. May be repeated. Default: all.
.TP
.BI \-\-scope " KIND"
Replay the policy as one of a \fIcgroup\fR, a \fIuser\fR or an \fIinterface\fR. Default: \fIhost\fR, a whole network namespace.
.TP
.BI \-\-cases " FILE"
Further cases: lines of protocol, destination, port and verdict (allow or deny), separated by tabs; or YAML with a list
like a policy's tests.
.TP
.B \-\-no\-trace
Tell on the packet rung who left, not which rule decided; several times faster.
.TP
.BI \-\-probes " N"
At most so many generated probes, 1 to 200000. Default: 60000.
.TP
.BI \-\-output " FILE"
Where a snapshot is written, readable by its owner alone. Default: standard output, which must not be a terminal.
.TP
.B \-\-rules\-only
Leave the host facts out of a snapshot: links, routes, sockets, processes and the like.
.TP
.BI \-\-snapshot " FILE"
Judge this snapshot in place of the running kernel; needs no right.
.TP
.B \-\-no\-diff
Of \fBapply\fR: do not look for the packets whose verdict changes.
.TP
.B \-\-keep\-existing
Of \fBapply\fR and \fBscope\fR: let open flows that the policy denies go on until they end.
.TP
.B \-\-force
Of \fBapply\fR and \fBscope\fR: install although the connection that the caller works through, or what the host needs, would be cut.
.TP
.BI \-\-grace " TIME"
Of \fBguard\fR and \fBscope watch\fR: let an address of a name stay for so long after its last answer ends. Default: \fI60s\fR.
.TP
.BI \-\-essential " WHAT"
Let this through before anything but the protocols is asked, for this run: \fIloopback\fR, \fIdhcp\fR, \fIntp\fR,
\fIntp=ADDRESSES\fR, \fIresolver=ADDRESSES\fR or \fIssh=ADDRESSES\fR (\fIssh:2222=ADDRESSES\fR for another port), addresses with commas between. May be repeated. The same as
\fIessentials\fR in the policy.
.TP
.BI \-\-idle " TIME"
Of \fBreap\fR: after how long without data (\fI90s\fR, \fI10m\fR, \fI2h\fR), instead of what the policy in force says.
.TP
.B \-\-restore
Of \fBguard\fR: put the policy in force again when somebody changed it, at most five times a minute. Of \fBscope watch\fR: make the
table again.
.TP
.BI \-\-feeds " FEEDS"
Of \fBguard\fR: fetch the lists of a feeds file when they are due.
.TP
.BI \-\-status " PLACE"
Of \fBguard\fR: answer \fI/metrics\fR (Prometheus) and \fI/status\fR (JSON) over HTTP on a Unix socket by its path, or on
\fI127.0.0.1:PORT\fR or \fI[::1]:PORT\fR.
.TP
.B \-\-due
Of \fBfeeds update\fR: leave lists alone that are not due.
.TP
.B \-\-accept
Of \fBfeeds update\fR: believe an edition once that is old, small, or follows a damaged file.
.TP
.B \-\-start
Of \fBmeter\fR: start counting, in a table of its own that decides nothing; a meter that runs goes on.
.TP
.B \-\-stop
Of \fBmeter\fR: stop counting; the numbers are gone.
.TP
.BI \-\-cgroup " PATH"
Of \fBscope\fR and \fBaudit\fR: sockets made in a cgroup of the unified hierarchy or below it, by its path under the root.
.TP
.BI \-\-user " NAME"
Of \fBscope\fR and \fBaudit\fR: sockets made by a user, by name or number.
.TP
.BI \-\-interface " NAME"
Of \fBscope\fR and \fBaudit\fR: packets forwarded from a link and to it, and those that come from it for this host.
.TP
.B \-\-all
Of \fBscope remove\fR: every scope. Of \fBquota remove\fR: every quota. Of \fBseal remove\fR: every seal.
.TP
.B \-\-allow\-dhcp
Of \fBseal add\fR: let packet sockets of user 0 send UDP from port 68 to port 67 of 255.255.255.255, and from port 546 to port 547 of
ff02::1:2.
.TP
.B \-\-host
Of \fBquota\fR: everything that leaves the namespace.
.TP
.BI \-\-guard " PATH"
Of \fBinstall\fR: write a unit for \fBweir guard\fR too, which reads the policy from this path on the installed system.
.TP
.BI \-\-scopes " PATH"
Of \fBinstall\fR: write a unit for \fBweir scope watch\fR too, which reads the site file from this path on the installed system.
.TP
.BI \-\-root " FOLDER"
Of \fBinstall\fR and \fBuninstall\fR: a folder that stands for /, as of an image.
.TP
.BI \-\-without " ESSENTIAL"
Of \fBapply\fR: what the host does without when the policy denies it: \fIresolver\fR, \fIdhcp\fR or \fIntp\fR. May be
repeated.
.TP
.BI \-\-resolv\-conf " FILE"
Of \fBapply\fR: where the host's resolvers stand, instead of the namespace's own resolv.conf(5).
.TP
.BI \-\-confirm " TIME"
Of \fBapply\fR: put the policy on trial for 1s to 24h (\fI90s\fR, \fI10m\fR, \fI2h\fR). Unless \fBweir confirm\fR is run within
that time, the kernel itself goes back to the rules before, whatever became of weir. Without rules before, every packet passes
again. An \fBapply\fR during a trial takes its place; what a trial falls back to is always what was last in force for good.
.TP
.B \-\-confirm
Of \fBaudit\fR: replay each packet that was found in a throw-away namespace that has the snapshot's own rules, and say whether the kernel does
the same.
.TP
.BI \-\-intervals " N"
Give up on a claim, as unknown, beyond so many intervals of decision diagrams. Default: 64000000.
.TP
.BI \-\-format " FORM"
The form of the output.
.TP
.B \-\-version
Show the version.
.TP
.BR \-h ", " \-\-help
Show help.
.SH EXIT STATUS
.TS
r l.
0	done, and the answer is good
1	done, and there is a finding
2	cannot decide
64	the command line is wrong
65	a policy or data file is wrong
66	a file, a name or a namespace is not there
69	the kernel lacks a feature
70	a defect of weir
77	not permitted
.TE
.SH ENVIRONMENT
.TP
.B NO_COLOR
Without colours, also on a terminal.
.SH NOTES
\fBinbound: deny\fR, the default of the language and of all policies that weir carries, denies SSH logins. On a machine
that you reach over its network, apply with \fB\-\-confirm\fR, and confirm from
a new login.
.PP
Rules last until the next boot.
.PP
A policy that denies the group \fBprivate\fR denies the loopback too.
.SH EXAMPLES
.nf
weir print app\-engine\-sockets \-\-format table
weir explain app\-engine\-sockets udp 8.8.8.8:53
weir verify policy.yaml \-\-rung reference \-\-rung interpreter
sudo weir verify tenant.yaml \-\-scope cgroup
sudo weir apply policy.yaml \-\-netns jail
sudo weir apply policy.yaml \-\-confirm 60s
sudo weir confirm
sudo weir status \-\-netns jail
sudo weir snapshot \-\-output host.weir
.fi
.SH SEE ALSO
.BR nft (8),
.BR ip\-netns (8),
.BR unshare (1)
"""#
}
