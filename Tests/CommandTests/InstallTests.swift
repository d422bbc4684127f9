import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir install` and the drill of a reboot: an empty network namespace in which nothing but the
/// unit's command runs.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct InstallTests {
  private let folder: TemporaryFolder
  private let root: String
  private let policy: String

  init() throws {
    folder = try TemporaryFolder()
    root = folder.url.appending(path: "root").path
    policy = try folder.file(
      "boot.yaml",
      """
      policy: boot
      default: allow
      deny:
        - {clause: private, to: private}
      """)
  }

  private var rules: String { "\(root)/var/lib/weir/weir.nft" }
  private var unit: String { "\(root)/etc/systemd/system/weir-boot.service" }

  private func install() throws {
    let outcome = try Weir.run("install", policy, "--root", root)
    #expect(outcome.ending == .exit(0))
    #expect(outcome.output.contains("read back equal"))
  }

  /// Runs what the unit runs, in the namespace of the calling thread.
  private func boot() throws {
    let line = try #require(
      String(contentsOfFile: unit, encoding: .utf8).split(separator: "\n").first {
        $0.hasPrefix("ExecStart=/bin/sh -c '")
      })
    let command = line.dropFirst("ExecStart=/bin/sh -c '".count).dropLast()
      .replacing("/var/lib/weir", with: "\(root)/var/lib/weir")
    let outcome = try ChildProgram.run("sh", ["-c", String(command)])
    #expect(outcome.exitCode == 0)
  }

  /// Whether a datagram to the loopback is let out.
  private func leaves() throws -> Bool {
    let socket = try HostPlant.socket(AF_INET, SOCK_DGRAM.rawValue, 0)
    defer { close(socket) }
    try HostPlant.connect(socket, to: .v4(0x7f00_0001), port: 9)
    var byte: UInt8 = 7
    return unsafe send(socket, &byte, 1, 0) == 1
  }

  @Test func `kernel: after a reboot the unit's command alone puts the policy in force`() throws {
    try install()
    try ThrowAwayNamespace.run {
      try boot()
      let status = try Weir.run("status")
      #expect(status.ending == .exit(0))
      #expect(status.output.contains("policy boot "))
      let audit = try Weir.run("audit", policy)
      #expect(audit.output.contains("as-installed         holds"))
      #expect(audit.output.contains("no-leak              holds"))
      #expect(try Weir.run("apply", policy).output.contains("was in force already"))
      let guardian = try LoggedChild([Weir.path, "guard", policy], in: folder)
      #expect(guardian.says("started", within: 120), "\(guardian.text)")
      #expect(guardian.end() == 0)
    }
  }

  @Test func `kernel: the unit leaves rules alone that are in force`() throws {
    try install()
    try ThrowAwayNamespace.run {
      let other = try folder.file("other.yaml", "policy: other\ndefault: allow\n")
      #expect(try Weir.run("apply", "--no-diff", other).ending == .exit(0))
      let before = try Nft.ruleset()
      try boot()
      #expect(try Nft.ruleset() == before)
    }
  }

  @Test func `kernel: rules that cannot be loaded leave the host closed, and apply opens it`()
    throws
  {
    try install()
    try "table inet weir {".write(toFile: rules, atomically: true, encoding: .utf8)
    try ThrowAwayNamespace.run {
      #expect(try leaves())
      try boot()
      #expect(try !leaves())
      #expect(try Weir.run("status").output.contains("policy closed "))
      let open = try folder.file("open.yaml", "policy: open\ndefault: allow\n")
      #expect(try Weir.run("apply", "--no-diff", open).ending == .exit(0))
      #expect(try leaves())
    }
  }

  @Test func `the unit that keeps scopes bound is installed and taken away`() throws {
    let words = ["install", policy, "--root", root, "--table", "own"]
    let outcome = try Weir.run(words + ["--scopes", "/etc/weir/site.yaml"])
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    let unit = try text("etc/systemd/system/weir-scopes-own.service")
    #expect(
      unit.contains(
        "ExecStart=/usr/local/bin/weir scope watch /etc/weir/site.yaml --table own --format json\n")
    )
    #expect(unit.contains("After=weir-boot-own.service"))
    let link = "\(root)/etc/systemd/system/multi-user.target.wants/weir-scopes-own.service"
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: link)
        == "/etc/systemd/system/weir-scopes-own.service")
    #expect(try Weir.run("uninstall", "--root", root, "--table", "own").ending == .exit(0))
    let left = try Program.run(["find", root, "!", "-type", "d"]).output
    #expect(left.isEmpty, "\(left)")
    #expect(try Weir.run(words + ["--scopes", "site.yaml"]).ending == .exit(64))
  }

  @Test func `the guard's unit, the manual and completions are installed and taken away`() throws {
    for place in ["etc/bash_completion.d", "usr/local/share/zsh/site-functions"] {
      try FileManager.default.createDirectory(
        atPath: "\(root)/\(place)", withIntermediateDirectories: true)
    }
    let words = [
      "install", policy, "--root", root, "--guard", "/etc/weir/policy.yaml", "--essential", "dhcp",
    ]
    let outcome = try Weir.run(words)
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    let unit = try text("etc/systemd/system/weir-guard.service")
    #expect(
      unit.contains(
        "ExecStart=/usr/local/bin/weir guard /etc/weir/policy.yaml --essential dhcp --format json\n"
      ))
    #expect(unit.contains("After=weir-boot.service"))
    let link = "\(root)/etc/systemd/system/multi-user.target.wants/weir-guard.service"
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: link)
        == "/etc/systemd/system/weir-guard.service")
    #expect(try text("usr/local/share/man/man1/weir.1").contains("\n.TH WEIR 1"))
    #expect(try text("etc/bash_completion.d/weir").contains("_weir weir"))
    #expect(try text("usr/local/share/zsh/site-functions/_weir").hasPrefix("#compdef weir\n"))
    #expect(!FileManager.default.fileExists(atPath: "\(root)/etc/fish"))
    // The shells take them, where they are here.
    #expect(
      try Program.run(["bash", "-n", "\(root)/etc/bash_completion.d/weir"]).ending == .exit(0))
    #expect(try Weir.run(words).ending == .exit(0))
    let gone = try Weir.run("uninstall", "--root", root)
    #expect(gone.output.split(separator: "\n").count == 9, "\(gone.output)")
    let left = try Program.run(["find", root, "!", "-type", "d"]).output
    #expect(left.isEmpty, "\(left)")
    #expect(
      try Weir.run("install", policy, "--root", root, "--guard", "p.yaml").ending == .exit(64))
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
  }

  @Test func `install and uninstall touch their own files only`() throws {
    let dry = try Weir.run("install", policy, "--root", root, "--dry-run")
    #expect(dry.ending == .exit(0))
    #expect(dry.output.contains("would be in force"))
    #expect(!FileManager.default.fileExists(atPath: root))
    try install()
    try install()
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/var/lib/weir").count == 2)
    let outcome = try Weir.run("uninstall", "--root", root)
    #expect(outcome.ending == .exit(0))
    // Rules, closed rules, unit, manual page, link.
    #expect(outcome.output.split(separator: "\n").count == 5)
    #expect(!FileManager.default.fileExists(atPath: "\(root)/var/lib/weir"))
    #expect(try Weir.run("uninstall", "--root", root).output == "nothing was installed\n")

    try FileManager.default.createDirectory(
      atPath: "\(root)/var/lib/weir", withIntermediateDirectories: true)
    try "flush ruleset\n".write(toFile: rules, atomically: true, encoding: .utf8)
    for words in [["install", policy], ["uninstall"]] {
      let refused = try Weir.run(words + ["--root", root])
      #expect(refused.ending == .exit(1))
      #expect(refused.error.contains("was not written by weir install; nothing was changed"))
    }
    #expect(try String(contentsOfFile: rules, encoding: .utf8) == "flush ruleset\n")
  }

  @Test func `a name without an address writes nothing`() throws {
    let named = try folder.file(
      "named.yaml",
      """
      policy: named
      default: deny
      allow:
        - {clause: mirror, to: {name: mirror.example, within: [192.0.2.0/24]}, port: tcp/443}
      """)
    let outcome = try Weir.run(
      "install", named, "--root", root, "--resolve", "mirror.example=198.51.100.1")
    #expect(outcome.ending == .exit(66))
    #expect(!FileManager.default.fileExists(atPath: rules))
    let pinned = try Weir.run(
      "install", named, "--root", root, "--resolve", "mirror.example=192.0.2.7")
    #expect(pinned.ending == .exit(0))
    #expect(try String(contentsOfFile: rules, encoding: .utf8).contains("192.0.2.7"))
  }
}
