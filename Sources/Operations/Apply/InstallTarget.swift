import Bytecode
import ConnectionReplay
import LinuxSystem
import NetfilterLink

/// Where rules are installed, and under which name.
public struct InstallTarget: Sendable {
  /// The nftables table; see ``tableName(_:)``.
  public var table = "weir"
  /// A namespace by name, process id or path; nil for the caller's own.
  public var namespace: String?

  /// The table `inet weir` of the caller's own namespace.
  public init() {}

  var identifier: TableIdentifier { TableIdentifier(family: .inet, name: table) }

  /// Runs a body with a session to the target's kernel.
  ///
  /// The namespace is opened first, so that one that does not exist is an error with nothing done.
  func withSession<Value>(
    _ body: (inout NetfilterSession<NetlinkSocket>) throws -> Value
  ) throws(OperationFailure) -> Value {
    do {
      // Staying where one is takes no right beyond CAP_NET_ADMIN; entering takes CAP_SYS_ADMIN.
      guard let namespace else {
        var session = NetfilterSession(try NetlinkSocket.open())
        return try body(&session)
      }
      return try NetworkNamespace.open(.init(text: namespace)).run {
        var session = NetfilterSession(try NetlinkSocket.open())
        return try body(&session)
      }
    } catch let failure as OperationFailure {
      throw failure
    } catch let error as InstallError {
      throw OperationFailure(error.exitStatus, "\(error)")
    } catch let error as KernelError {
      throw OperationFailure(error.exitStatus, "\(error)")
    } catch let error as LinuxError {
      throw OperationFailure(error.exitStatus, "\(error)")
    } catch {
      throw OperationFailure(.internalError, "\(error)")
    }
  }
}

extension KernelError {
  /// The exit code that says what the kernel's refusal means.
  var exitStatus: ExitStatus {
    switch errorNumber {
    case 1, 13: .notPermitted
    case 2, 22, 93, 95, 97: .unsupported
    default: .unknown
    }
  }
}

extension InstallError {
  /// The exit code.
  var exitStatus: ExitStatus {
    switch self {
    case .kernel(let error, _): error.exitStatus
    case .foreign, .noTrial: .finding
    case .notProven, .keepsChanging: .unknown
    }
  }
}

extension LinuxError {
  /// The exit code.
  var exitStatus: ExitStatus {
    switch self {
    case .noSuchNamespace, .notANetworkNamespace: .notFound
    case .refused(_, .notPermitted), .userNamespacesUnavailable: .notPermitted
    case .refused(_, .noSuchFile): .notFound
    case .unreadableFile: isMissingFile ? .notFound : .badData
    default: .unknown
    }
  }

  /// Whether a file is not there.
  var isMissingFile: Bool {
    if case .unreadableFile(_, .missing) = self { return true }
    return false
  }
}
