/// The kinds of ``Diagnostic``; raw values are stable and appear in JSON.
public enum DiagnosticCode: String, Hashable, Sendable, CaseIterable {
  // MARK: Files

  /// A file that is named does not exist.
  case fileMissing = "file-missing"
  /// The system does not let the file be read.
  case fileUnreadable = "file-unreadable"
  /// A directory stands where a file is meant.
  case fileIsDirectory = "file-is-directory"
  /// A file is larger, or there are more files, than ``ParserLimits`` allow.
  case fileTooLarge = "file-too-large"
  /// A policy file is not UTF-8 text.
  case notUTF8 = "not-utf-8"
  /// A policy file holds nothing, or only comments.
  case emptyFile = "empty-file"
  /// A file lies outside the directory of the policy.
  case outsideDirectory = "outside-directory"
  /// A file is read a second time, or while it is being read.
  case circularInclude = "circular-include"

  // MARK: YAML

  /// The file is not YAML, or holds control characters.
  case syntax = "syntax"
  /// Lists and mappings nest deeper than ``ParserLimits/nesting``.
  case nestingTooDeep = "nesting-too-deep"
  /// The file has more values than ``ParserLimits/nodes``.
  case tooManyNodes = "too-many-nodes"
  /// The file uses an anchor or an alias.
  case alias = "alias"
  /// The file uses a tag.
  case tag = "tag"

  // MARK: Shape

  /// A key that the language does not have.
  case unknownKey = "unknown-key"
  /// A key twice in one mapping.
  case duplicateKey = "duplicate-key"
  /// A key that must be there is not, or two exclude each other.
  case missingKey = "missing-key"
  /// A key that does not belong where it stands.
  case misplacedKey = "misplaced-key"
  /// A list, a mapping or a single value where something else is meant.
  case wrongType = "wrong-type"
  /// A key without a value, or an empty list.
  case emptyValue = "empty-value"

  // MARK: Values

  /// A value that YAML programs read in two ways.
  case ambiguousScalar = "ambiguous-scalar"
  /// A value outside the few that the key takes.
  case invalidValue = "invalid-value"
  /// A name that is not spelled like one.
  case invalidName = "invalid-name"
  /// Not an address, prefix or range in its strict spelling.
  case invalidAddress = "invalid-address"
  /// Not a port or a range of ports.
  case invalidPort = "invalid-port"
  /// Not a protocol, or one listed twice.
  case invalidProtocol = "invalid-protocol"
  /// Not a flow.
  case invalidFlow = "invalid-flow"
  /// Not a host name.
  case invalidHostName = "invalid-host-name"
  /// An IPv6 address that stands for an IPv4 address.
  case addressInsideAddress = "address-inside-address"
  /// A bad line of a list file.
  case listItem = "list-item"

  // MARK: References

  /// A group that nobody defines.
  case unknownGroup = "unknown-group"
  /// A group defined twice, or built in.
  case duplicateGroup = "duplicate-group"
  /// A group that contains itself.
  case circularGroup = "circular-group"
  /// A clause name that weir itself uses.
  case reservedName = "reserved-name"
  /// A clause name used by two entries.
  case duplicateClause = "duplicate-clause"
  /// A clause that no entry has.
  case unknownClause = "unknown-clause"
  /// A test of a host name that no entry names.
  case unknownHostName = "unknown-host-name"
  /// A host name in an entry of `deny:`.
  case nameInDeny = "name-in-deny"

  // MARK: Warnings

  /// No outbound flow is allowed.
  case deniesEverything = "denies-everything"
  /// No outbound flow is denied by address or port.
  case deniesNothing = "denies-nothing"
  /// An exception of which nothing would be denied.
  case unneededException = "unneeded-exception"
  /// Two exceptions for the same flows.
  case overlappingExceptions = "overlapping-exceptions"
  /// An entry that an earlier one covers.
  case shadowedEntry = "shadowed-entry"
  /// An entry about a protocol that the policy does not list.
  case protocolNotListed = "protocol-not-listed"
  /// An IPv6 prefix that spans 64:ff9b::/96 and does not decide about it.
  case embeddedNotCovered = "nat64-not-covered"
  /// Too many entries to compare them with each other.
  case notCompared = "not-compared"
}
