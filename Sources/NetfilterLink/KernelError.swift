import Glibc

/// What went wrong between weir and the kernel's packet filter.
///
/// Example: `adding rule 3 of chain g1/deny/private (rules/x.yaml:31:5), expression 2 (reject):
/// Operation not supported; the kernel lacks CONFIG_NFT_REJECT_INET`.
public struct KernelError: Error, Hashable, Sendable {
  /// The kind of trouble.
  public enum Cause: Hashable, Sendable {
    /// A system call or the kernel said no, with this errno.
    case refused(Int32)
    /// The kernel threw replies away (ENOBUFS): what was sent may or may not be in effect.
    case repliesLost
    /// The ruleset changed since the generation the batch was made for (ERESTART); nothing done.
    case generationMoved
    /// The ruleset changed during every one of so many attempts to read it.
    case keepsChanging(attempts: Int)
    /// A reply that does not have the shape the kernel documents; the text says where.
    case malformedReply(String)
    /// A value of ours that netlink cannot carry; the text says which.
    case notExpressible(String)
    /// The transport was told to stop.
    case stopped
  }

  /// What was being done: `adding`, `reading the rules`.
  public var operation: String
  /// The trouble.
  public var cause: Cause
  /// The netlink message, `NFT_MSG_NEWRULE`; nil outside a batch.
  public var messageKind: String?
  /// The object: `rule 3 of chain g1/deny/private (clause private, rules/x.yaml:31:5)`.
  public var subject: String?
  /// The part of the object that the kernel points at: `expression 2 (reject)`, `element 10.0.0.0`.
  public var part: String?
  /// The kernel's own words, when it sent any.
  public var kernelText: String?
  /// What to do about it.
  public var advice: String?
  /// How many further messages of the same batch the kernel refused.
  public var furtherRefusals: Int

  /// Makes an error; advice is derived from the cause when none is given.
  public init(
    operation: String, cause: Cause, messageKind: String? = nil, subject: String? = nil,
    part: String? = nil, kernelText: String? = nil, advice: String? = nil,
    furtherRefusals: Int = 0
  ) {
    self.operation = operation
    self.cause = cause
    self.messageKind = messageKind
    self.subject = subject
    self.part = part
    self.kernelText = kernelText
    self.advice = advice ?? KernelError.advice(for: cause)
    self.furtherRefusals = furtherRefusals
  }

  /// The errno, when the trouble is one.
  public var errorNumber: Int32? {
    switch cause {
    case .refused(let code): code
    case .repliesLost: ENOBUFS
    case .generationMoved: ERESTART
    default: nil
    }
  }

  private static func advice(for cause: Cause) -> String? {
    switch cause {
    case .refused(EPERM), .refused(EACCES):
      "it needs CAP_NET_ADMIN in the user namespace that owns this network namespace"
    case .refused(EMSGSIZE):
      "the batch is longer than the socket buffer; raise net.core.wmem_max or run with"
        + " CAP_NET_ADMIN in the first user namespace"
    case .refused(EPROTONOSUPPORT), .refused(EAFNOSUPPORT):
      "the kernel has no nf_tables; it needs CONFIG_NETFILTER_NETLINK and CONFIG_NF_TABLES"
    case .refused(ENOMEM), .refused(ENOBUFS): "the kernel is short of memory"
    case .repliesLost: "read the ruleset back: the change may be in effect"
    case .generationMoved: "somebody else changed the ruleset meanwhile; try again"
    case .keepsChanging: "another program keeps changing the ruleset; stop it and try again"
    case .malformedReply: "this kernel speaks a dialect that is not understood; report it"
    case .refused, .notExpressible, .stopped: nil
    }
  }
}

extension KernelError: CustomStringConvertible {
  /// One line: what, on which object and part, why, and what to do.
  public var description: String {
    var text = operation
    if let subject { text += " " + subject }
    if let part { text += ", " + part }
    text += ": " + reason
    if let kernelText { text += " (\(kernelText))" }
    if furtherRefusals > 0 { text += ", and \(furtherRefusals) more" }
    if let advice { text += "; " + advice }
    return text
  }

  private var reason: String {
    switch cause {
    case .refused(let code): return KernelError.text(ofErrno: code)
    case .repliesLost: return "the kernel's replies were lost"
    case .generationMoved: return "the ruleset changed in between"
    case .keepsChanging(let attempts): return "the ruleset keeps changing (\(attempts) attempts)"
    case .malformedReply(let place): return "malformed reply: \(place)"
    case .notExpressible(let what): return what
    case .stopped: return "stopped"
    }
  }

  private static func text(ofErrno code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
