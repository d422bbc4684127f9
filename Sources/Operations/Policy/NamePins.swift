import NameResolution
import NetworkTypes

/// Addresses that the caller gives for names, so that nobody is asked.
public struct NamePins: Sendable {
  /// Addresses by lower-case name.
  let addresses: [String: [IPAddress]]

  /// No pins.
  public init() { addresses = [:] }

  /// Pins that something else says.
  init(_ addresses: [String: [IPAddress]]) { self.addresses = addresses }

  /// Reads `name=address,address` arguments.
  ///
  /// - Throws: ``OperationFailure`` (64) for a text that is none.
  public init(arguments: [String]) throws(OperationFailure) {
    var addresses: [String: [IPAddress]] = [:]
    for argument in arguments {
      do {
        let pin = try Pin(argument: argument)
        addresses[pin.name.text, default: []] += pin.addresses
      } catch {
        throw OperationFailure(.usage, "--resolve \(argument): \(error)")
      }
    }
    self.addresses = addresses
  }
}
