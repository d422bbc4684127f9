import LinuxSystem

/// Network namespaces that a test makes for itself; never the machine's own.
public enum ThrowAwayNamespace {
  /// Whether this process may make any.
  public static let isThere: Bool = (try? NetworkNamespace.make()) != nil

  /// The sentence to skip with where it may not.
  public static let reason =
    "needs network namespaces: run as root, or the test binary under unshare -Urn"

  /// Runs a body inside a fresh namespace whose `lo` is up, after making sure that it is one.
  public static func run<Value>(_ body: () throws -> Value) throws -> Value {
    try NetworkNamespace.make().run {
      try NetworkNamespace.assertThrowAway()
      guard case .exit(0) = try Program.run(["ip", "link", "set", "lo", "up"]).ending else {
        throw Child.Failure.cannotStart("ip")
      }
      return try body()
    }
  }
}
