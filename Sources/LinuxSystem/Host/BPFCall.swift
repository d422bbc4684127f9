import CLinux
import ConnectionReplay
import Glibc

/// bpf(2), for looking only.
///
/// The attributes are bytes laid out as `union bpf_attr`. Safe: every pointer in them is to memory
/// that lives until the call is back, and the kernel writes no more than the length beside it.
enum BPFCall {
  /// `enum bpf_cmd`, `linux/bpf.h`.
  enum Command: Int32 {
    case nextProgram = 11
    case programDescriptor = 13
    case information = 15
    case query = 16
    case linkDescriptor = 30
    case nextLink = 31
  }

  /// Every number of programs or links, ascending.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``; needs CAP_SYS_ADMIN, or CAP_BPF.
  static func identifiers(_ next: Command) throws(LinuxError) -> [UInt32] {
    var found: [UInt32] = []
    var start: UInt32 = 0
    while found.count < 100_000 {
      var attributes = [start, 0, 0]
      do throws(LinuxError) {
        _ = try call(next, &attributes, "list BPF objects")
      } catch .refused(_, .noSuchFile) {
        return found
      }
      start = attributes[1]
      found.append(start)
    }
    throw .refused(operation: "list BPF objects", errno: ErrorNumber(rawValue: EFBIG))
  }

  /// The description of a program or link, `size` bytes; nil when it is gone by now.
  static func information(
    _ open: Command, _ id: UInt32, size: Int
  ) throws(LinuxError) -> [UInt8]? {
    var attributes = [id, 0, 0]
    let descriptor: FileDescriptor
    do throws(LinuxError) {
      descriptor = FileDescriptor(owning: try call(open, &attributes, "open BPF object \(id)"))
    } catch .refused(_, .noSuchFile) {
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: size)
    let number = UInt32(bitPattern: descriptor.number)
    let status = unsafe bytes.withUnsafeMutableBytes { buffer in
      let address = UInt64(UInt(bitPattern: buffer.baseAddress))
      var attributes = [number, UInt32(size)] + words(address)
      return unsafe linux_bpf(
        Command.information.rawValue, &attributes, UInt32(attributes.count * 4))
    }
    _ = try checkedShim("describe BPF object \(id)", status)
    return bytes
  }

  /// The programs at one hook.
  ///
  /// - Parameters:
  ///   - target: a descriptor of a cgroup or the index of a link.
  ///   - attachType: `enum bpf_attach_type`.
  ///   - isEffective: whether to count what is inherited.
  /// - Returns: nil when the kernel knows no such hook.
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  static func attached(
    to target: UInt32, _ attachType: UInt32, isEffective: Bool
  ) throws(LinuxError) -> [UInt32]? {
    let room = 256
    var programs = [UInt32](repeating: 0, count: room)
    var count: UInt32 = 0
    let status = unsafe programs.withUnsafeMutableBytes { buffer in
      let address = UInt64(UInt(bitPattern: buffer.baseAddress))
      var attributes: [UInt32] = [target, attachType, isEffective ? 1 : 0, 0]
      attributes += words(address) + [UInt32(room), 0]
      attributes += [UInt32](repeating: 0, count: 8)
      let status = unsafe linux_bpf(
        Command.query.rawValue, &attributes, UInt32(attributes.count * 4))
      count = attributes[6]
      return status
    }
    do throws(LinuxError) {
      _ = try checkedShim("ask for BPF programs", status)
    } catch .refused(_, .invalidArgument) {
      return nil
    } catch .refused(_, .noSuchFile) {
      return []  // nothing at the hook of a link
    }
    return Array(programs.prefix(Int(count)))
  }

  private static func call(
    _ command: Command, _ attributes: inout [UInt32], _ operation: String
  ) throws(LinuxError) -> Int32 {
    let size = UInt32(attributes.count * 4)
    let status = unsafe linux_bpf(command.rawValue, &attributes, size)
    return try checkedShim(operation, status)
  }

  /// A pointer as two words in the machine's order.
  private static func words(_ address: UInt64) -> [UInt32] {
    let low = UInt32(truncatingIfNeeded: address)
    let high = UInt32(truncatingIfNeeded: address >> 32)
    #if _endian(little)
      return [low, high]
    #else
      return [high, low]
    #endif
  }
}
