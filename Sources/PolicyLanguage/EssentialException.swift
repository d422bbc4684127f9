public import NetworkTypes

/// Something that a host cannot do without, let through before anything else of a policy is asked.
public struct EssentialException: Hashable, Sendable {
  /// What it is for.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Flows to 127.0.0.0/8 and ::1.
    case loopback
    /// Questions to DNS servers, port 53 of UDP and TCP.
    case resolver
    /// A DHCP client's renewals, and its server's answers.
    case dhcp
    /// Questions to time servers, port 123 of UDP.
    case ntp
    /// Connections that come in to this host's SSH server.
    case ssh

    /// Whether it must say which addresses.
    var needsAddresses: Bool { self == .resolver || self == .ssh }
    /// Whether it may say which addresses.
    var takesAddresses: Bool { needsAddresses || self == .ntp }
  }

  /// What it is for.
  public var kind: Kind
  /// The other ends; nil for any.
  public var addresses: AddressSet?
  /// The other ends as written.
  public var items: [String]
  /// The port of this host's SSH server; 22 unless the policy says another.
  public var sshPort: UInt16
  /// Where it is written; nil for the command line.
  public var location: SourceLocation?

  /// Makes one.
  public init(
    _ kind: Kind, addresses: AddressSet? = nil, items: [String] = [], sshPort: UInt16 = 22,
    location: SourceLocation? = nil
  ) {
    self.kind = kind
    self.addresses = addresses
    self.items = items
    self.sshPort = sshPort
    self.location = location
  }

  /// The clause that counts and explains it: `essential-ssh`.
  public var clause: String { "essential-\(kind.rawValue)" }

  /// Every clause that an essential may have.
  public static let clauses = Kind.allCases.map { "essential-\($0.rawValue)" }
}

/// Flows that an essential lets through: all that agree with every part.
public struct EssentialFlow: Hashable, Sendable {
  /// Who opens them.
  public var direction: Direction
  /// The protocol; nil for every protocol that the policy lists.
  public var ipProtocol: IPProtocol?
  /// The other end.
  public var remote: AddressSet
  /// The other end's port; nil for any.
  public var remotePort: UInt16?
  /// This end's port; nil for any.
  public var localPort: UInt16?
}

extension EssentialException {
  /// The flows, some of which may be of one family alone.
  ///
  /// Source: RFC 2131 (ports 67, 68), RFC 8415 (546, 547; a server answers from a link-local address),
  /// RFC 5905 (123).
  public var flows: [EssentialFlow] {
    let remote = addresses ?? .full
    switch kind {
    case .loopback:
      let own = AddressSet(
        v4: IntervalSet([Interval(0x7f00_0000, 0x7fff_ffff)]), v6: IntervalSet([Interval(1, 1)]))
      return [EssentialFlow(direction: .outbound, remote: own)]
    case .resolver:
      return [IPProtocol.udp, .tcp].map {
        EssentialFlow(direction: .outbound, ipProtocol: $0, remote: remote, remotePort: 53)
      }
    case .ntp:
      return [
        EssentialFlow(direction: .outbound, ipProtocol: .udp, remote: remote, remotePort: 123)
      ]
    case .ssh:
      return [
        EssentialFlow(direction: .inbound, ipProtocol: .tcp, remote: remote, localPort: sshPort)
      ]
    case .dhcp:
      let all4 = AddressSet(v4: .full)
      let all6 = AddressSet(v6: .full)
      let linkLocal = AddressSet(
        v6: IntervalSet([
          Interval(UInt128(0xfe80) << 112, UInt128(0xfebf) << 112 | UInt128.max >> 16)
        ])
      )
      func flow(
        _ direction: Direction, _ remote: AddressSet, _ remotePort: UInt16, _ localPort: UInt16
      ) -> EssentialFlow {
        EssentialFlow(
          direction: direction, ipProtocol: .udp, remote: remote, remotePort: remotePort,
          localPort: localPort)
      }
      return [
        flow(.outbound, all4, 67, 68), flow(.outbound, all6, 547, 546),
        flow(.inbound, all4, 67, 68), flow(.inbound, linkLocal, 547, 546),
      ]
    }
  }

  /// As a policy writes it: `dhcp`, `{ssh: [192.0.2.0/24], port: 2222}`.
  var text: String {
    guard !items.isEmpty else { return kind.rawValue }
    let port = kind == .ssh && sshPort != 22 ? ", port: \(sshPort)" : ""
    return "{\(kind.rawValue): \(PolicyText.list(items))\(port)}"
  }

  /// Reads `dhcp`, `ntp=192.0.2.1,2001:db8::/32`, `ssh=192.0.2.0/24` or `ssh:2222=192.0.2.0/24` of a
  /// command line.
  ///
  /// - Returns: the essential; nil, with the reason, for anything else.
  public static func parse(argument: String) -> (essential: EssentialException?, problem: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let words = parts[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = Kind(rawValue: String(words[0])) else {
      let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
      return (nil, "`\(parts[0])` is no essential; there are \(names)")
    }
    var port: UInt16 = 22
    if words.count == 2 {
      guard kind == .ssh, let number = UInt16(words[1]), number != 0 else {
        return (nil, "`\(parts[0])`: a port is for ssh alone: ssh:2222=192.0.2.0/24")
      }
      port = number
    }
    guard parts.count == 2 else {
      if kind.needsAddresses {
        return (nil, "`\(kind.rawValue)` needs addresses: \(kind.rawValue)=192.0.2.0/24")
      }
      return (EssentialException(kind), "")
    }
    guard kind.takesAddresses else { return (nil, "`\(kind.rawValue)` takes no addresses") }
    var blocks: [AddressBlock] = []
    for text in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
      do throws(LiteralError) {
        blocks.append(try AddressBlock(strict: text))
      } catch {
        return (nil, "\(error)")
      }
    }
    let addresses = AddressSet(blocks)
    return (
      EssentialException(
        kind, addresses: addresses, items: blocks.map(PolicyText.item), sshPort: port), ""
    )
  }
}

private enum EssentialKey: String, CaseIterable {
  case loopback, resolver, dhcp, ntp, ssh, port
}

extension EntryReader {
  /// The essentials of a file.
  func essentials(of file: PolicyFile) -> [EssentialException] {
    guard let field = file.fields[.essentials],
      let items = log.items(field.value, "essential", orOne: false)
    else { return [] }
    return items.compactMap { essential($0, file.path) }
  }

  private func essential(_ node: SyntaxNode, _ file: String) -> EssentialException? {
    let names = EssentialException.Kind.allCases.map(\.rawValue)
    if let word = node.scalar {
      guard let kind = EssentialException.Kind(rawValue: word) else {
        log.error(
          .invalidValue, "`\(word)` is no essential", at: node,
          didYouMean(word, among: names) ?? .init("essentials are \(log.list(names))"))
        return nil
      }
      if kind.needsAddresses {
        log.error(
          .missingKey, "`\(word)` needs addresses", at: node,
          .init("say which: `{\(word): [192.0.2.0/24, 2001:db8::/32]}`"))
        return nil
      }
      return EssentialException(kind, location: node.location)
    }
    guard let fields = log.fields(of: node, EssentialKey.self, of: "an essential") else {
      return nil
    }
    let found = EssentialKey.allCases.filter { $0 != .port && fields.mentioned[$0] != nil }
    guard found.count == 1, let key = found.first,
      let kind = EssentialException.Kind(rawValue: key.rawValue)
    else {
      log.error(
        .missingKey, "an essential is one of \(log.list(names))", at: node,
        .init("write `dhcp`, or `{ssh: [192.0.2.0/24]}`"))
      return nil
    }
    guard let field = fields[key] else { return nil }
    guard kind.takesAddresses else {
      log.error(
        .misplacedKey, "`\(key.rawValue)` takes no addresses", at: field.value,
        .init("write the word alone: `- \(key.rawValue)`"))
      return nil
    }
    guard let destination = groups.destination(field.value, in: file) else { return nil }
    if let name = destination.names.first {
      log.error(
        .invalidValue, "`\(name.name)` is a name, and an essential has addresses", at: field.value,
        .init("what must work while names cannot be resolved is written as addresses"))
      return nil
    }
    var port: UInt16 = 22
    if let written = fields[.port] {
      guard kind == .ssh, let text = log.text(written.value, "a port"), let number = UInt16(text),
        number != 0, String(number) == text
      else {
        log.error(
          .invalidValue, "`port` is the port of this host's SSH server", at: written.value,
          .init("write it like `{ssh: [192.0.2.0/24], port: 2222}`"))
        return nil
      }
      port = number
    }
    return EssentialException(
      kind, addresses: destination.addresses, items: destination.items, sshPort: port,
      location: node.location)
  }
}

extension Policy {
  /// Logs an essential whose protocol the policy does not list.
  func checkEssentials(_ log: DiagnosticLog) {
    for essential in essentials {
      let needed = Set(essential.flows.compactMap(\.ipProtocol))
      for ipProtocol in needed where !protocols.value.contains(ipProtocol) {
        guard let location = essential.location else { continue }
        log.report(
          Diagnostic(
            severity: .error, code: .invalidValue,
            message: "`\(essential.kind.rawValue)` needs `\(ipProtocol)` in `protocols`",
            location: location, notes: []))
      }
    }
  }
}
