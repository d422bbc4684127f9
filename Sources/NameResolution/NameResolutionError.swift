/// Why resolving, or reading a pinned name, could not even start.
///
/// What happens to a single name is never an error but a ``LookupFailure``.
public enum NameResolutionError: Error, Hashable, Sendable {
  /// The settings of a resolver make no sense; the text says which and what is accepted.
  case configuration(String)
  /// c-ares refused an operation; `reason` is its own text.
  case resolver(operation: String, reason: String)
  /// `poll(2)` failed with this errno.
  case poll(errno: Int32)
  /// The text after `--resolve` is no `NAME=ADDRESS,ADDRESS`; `reason` says why.
  case pin(text: String, reason: String)
}

extension NameResolutionError: CustomStringConvertible {
  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .configuration(let text):
      "resolver settings: \(text)"
    case .resolver(let operation, let reason):
      "cannot \(operation): \(reason)"
    case .poll(let errno):
      "cannot wait for name servers: poll failed with errno \(errno)"
    case .pin(let text, let reason):
      "'\(text)' is no NAME=ADDRESS,ADDRESS: \(reason)"
    }
  }
}
