public import NetworkTypes

/// What became of a packet that was handed to the kernel.
public enum PacketFate: Hashable, Sendable {
  /// It was seen outside the host.
  case left
  /// The send failed; ``ErrorNumber/notPermitted`` is what netfilter gives.
  case refused(ErrorNumber)
  /// The send succeeded and nothing came out.
  case vanished
  /// The send succeeded, and the destination is the host itself.
  case keptLocal
}

/// What came of a real conversation between two sockets.
public enum ConversationOutcome: Hashable, Sendable {
  /// The other side answered; what it said it was reached as, where it says so.
  case answered(String)
  /// A datagram was seen outside, and nobody is expected to answer: multicast, broadcast.
  case left
  /// The connection was refused: a reset, or an ICMP error that counts as one.
  case refused
  /// The conversation failed with this errno after the kernel had begun it, or with EPERM.
  case failed(ErrorNumber)
  /// The socket layer itself refused with this errno, before any filter saw a packet.
  case impossible(ErrorNumber)
  /// Nothing came back in time.
  case timedOut
}

/// What a sandbox saw of one probe.
public enum Observation: Hashable, Sendable {
  /// A single packet was sent.
  case packet(PacketFate)
  /// A conversation was tried.
  case conversation(ConversationOutcome)
  /// Nothing was tried, and why.
  case notTried(String)
}

/// Whether a real kernel did what was expected.
public enum Judgement: Hashable, Sendable {
  /// It did.
  case agrees
  /// It did the opposite; in words.
  case disagrees(String)
  /// What was seen says nothing about the filter; in words.
  case undecided(String)
}

extension Observation {
  /// Compares what was seen with what should be.
  ///
  /// Only a packet outside or an answer is proof of "allowed". Only a refusal that a filter gives,
  /// or silence after a send that worked, counts as "denied"; another error proves neither.
  ///
  /// - Parameter expected: what the policy says.
  /// - Returns: never ``Judgement/agrees`` for a probe that was not tried.
  public func judged(against expected: Decision) -> Judgement {
    switch decided {
    case .decision(expected): .agrees
    case .decision: .disagrees("expected \(expected.rawValue), seen: \(self)")
    case .nothing: .undecided("\(self)")
    }
  }

  private enum Evidence {
    case decision(Decision)
    case nothing
  }

  private var decided: Evidence {
    switch self {
    case .packet(.left), .packet(.keptLocal): .decision(.allow)
    case .packet(.refused(.notPermitted)), .packet(.vanished): .decision(.deny)
    case .packet(.refused): .nothing
    case .conversation(.answered), .conversation(.left): .decision(.allow)
    case .conversation(.refused), .conversation(.timedOut): .decision(.deny)
    case .conversation(.failed(let errno)):
      Observation.filterErrors.contains(errno) ? .decision(.deny) : .nothing
    case .conversation(.impossible), .notTried: .nothing
    }
  }

  /// What drop and the kinds of reject leave at a socket, IPv4 and IPv6.
  private static let filterErrors: Set<ErrorNumber> = [
    .notPermitted, .accessDenied, .hostUnreachable, .networkUnreachable, .connectionRefused,
  ]
}

extension Observation: CustomStringConvertible {
  /// In words, to be read after "seen:".
  public var description: String {
    switch self {
    case .packet(.left): "the packet left"
    case .packet(.refused(let errno)): "the send failed with \(errno)"
    case .packet(.vanished): "the send worked and nothing left"
    case .packet(.keptLocal): "the packet was accepted for the host itself"
    case .conversation(.answered(let by)): by.isEmpty ? "an answer" : "an answer from \(by)"
    case .conversation(.left): "the datagram left"
    case .conversation(.refused): "the connection was refused"
    case .conversation(.failed(let errno)): "the conversation failed with \(errno)"
    case .conversation(.impossible(let errno)): "the socket layer refused with \(errno)"
    case .conversation(.timedOut): "no answer in time"
    case .notTried(let reason): "not tried: \(reason)"
    }
  }
}
