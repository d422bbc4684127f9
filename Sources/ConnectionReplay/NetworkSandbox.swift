/// A place with a real kernel and rules in it, where probes can do no harm.
///
/// The tests of the judging use one without a kernel.
public protocol NetworkSandbox {
  /// What goes wrong when the sandbox itself fails, not the probe.
  associatedtype Failure: Error

  /// Tries probes, in whatever order is fastest.
  ///
  /// - Parameter probes: any number, both families mixed.
  /// - Returns: one observation per probe, in the order of `probes`.
  /// - Throws: when the sandbox is broken; then nothing was learnt.
  func observe(_ probes: [Probe]) throws(Failure) -> [Observation]
}
