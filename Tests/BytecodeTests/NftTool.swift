import Foundation

/// The real nft, each time in a network namespace of its own without a link outside.
enum NftTool {
  /// Why nft cannot be asked here; nil when it can.
  static let obstacle: String? = {
    guard let version = run("nft --version") else { return "no nft, or no user namespaces" }
    return version.contains("v1.0.6") ? nil : "not nft 1.0.6 but \(version)"
  }()

  static let isAvailable = obstacle == nil
  static let reason = "needs nft 1.0.6 and user namespaces"

  /// Runs a shell script in new user and network namespaces; `$D` is a folder of its own.
  ///
  /// Gives up when the namespace is the one of this process. Returns what the script printed, or
  /// nil when it failed.
  static func run(_ script: String, files: [String: String] = [:]) -> String? {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    guard (try? manager.createDirectory(at: folder, withIntermediateDirectories: true)) != nil
    else { return nil }
    defer { try? manager.removeItem(at: folder) }
    for (name, text) in files {
      let file = folder.appendingPathComponent(name)
      guard (try? Data(text.utf8).write(to: file)) != nil else { return nil }
    }
    guard let own = try? manager.destinationOfSymbolicLink(atPath: "/proc/self/ns/net") else {
      return nil
    }
    let guarded = "[ \"$(readlink /proc/self/ns/net)\" != '\(own)' ] || exit 97\n\(script)"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["timeout", "60", "unshare", "-rn", "sh", "-c", guarded]
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "D": folder.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    if process.terminationStatus != 0 {
      print("nft said: \(text.prefix(2000))")
      return nil
    }
    return text
  }

  /// What `nft list ruleset` prints after loading a text.
  static func listing(ofText text: String) -> String? {
    run("nft -f $D/r.nft && nft list ruleset", files: ["r.nft": text])
  }

  /// What `nft list ruleset` prints after loading libnftables JSON.
  static func listing(ofJSON text: String) -> String? {
    run("nft -j -f $D/r.json && nft list ruleset", files: ["r.json": text])
  }

  /// The rules' bytecode after loading a text, without handles and positions.
  ///
  /// The links are there when it is loaded.
  static func bytecode(ofText text: String, links: [String] = []) -> String? {
    let making = links.map { "ip link add \($0) type veth && " }.joined()
    guard
      let all = run(
        "\(making)nft -f $D/r.nft && nft --debug=netlink list ruleset", files: ["r.nft": text])
    else { return nil }
    var blocks: [String] = []
    for block in all.components(separatedBy: "\n\n") {
      let lines = block.split(separator: "\n").map(String.init)
      guard let start = lines.firstIndex(where: { $0.hasPrefix("  [ ") }), start > 0 else {
        continue
      }
      let header = lines[start - 1].split(separator: " ").prefix(3).joined(separator: " ")
      let body = lines[start...].prefix { $0.hasPrefix("  [ ") }
      blocks.append(([header] + body).joined(separator: "\n") + "\n\n")
    }
    return blocks.joined()
  }
}
