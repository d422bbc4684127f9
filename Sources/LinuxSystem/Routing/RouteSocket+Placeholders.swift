import CLinux
import ConnectionReplay
import Glibc

extension RouteSocket {
  /// Makes a link that stands for another machine's: its name and number, and nothing behind it.
  ///
  /// It swallows what is sent to it. Rules that bind a device, or compare its number, load with it.
  ///
  /// - Parameters:
  ///   - name: at most 15 bytes, not taken.
  ///   - index: above 1, not taken; nil for the kernel's choice.
  /// - Throws: ``LinuxError/refused(operation:errno:)``; in the machine's own namespace
  ///   ``LinuxError/machinesOwnNamespace``.
  public func makePlaceholder(name: String, index: Int32?) throws(LinuxError) {
    try NetworkNamespace.assertThrowAway()
    let create = NLM_F_CREATE | NLM_F_EXCL
    try perform("make the link \(name)", type: Int(RTM_NEWLINK), flags: create) {
      $0.appendLinkHeader(index: index ?? 0)
      $0.attribute(Int(IFLA_IFNAME), text: name)
      $0.nested(Int(IFLA_LINKINFO)) { $0.attribute(Int(IFLA_INFO_KIND), text: "ifb") }
    }
  }
}
