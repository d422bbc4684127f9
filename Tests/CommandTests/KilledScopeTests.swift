import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import Operations
import TestSupport
import Testing

/// `weir scope` and `weir quota`, the real processes, killed at every message or beside each other.
@Suite(
  .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"),
  .enabled(if: Killer.isThere, "needs strace and the right to trace children"))
struct KilledScopeTests {
  /// Far above the number of messages of a change; ends a test that would not end.
  private static let mostBoundaries = 1000

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func policy(denies port: Int) throws -> String {
    try folder.file(
      "\(port).yaml",
      "policy: p\(port)\ndefault: allow\ndeny:\n  - {clause: shut, port: \(port)}\n")
  }

  /// Which of two ports datagrams of a user leave for; nil when the families differ.
  private func open(_ user: uid_t, _ ports: [UInt16] = [7, 9]) throws -> [UInt16]? {
    let sockets = try Descriptors.owned(by: user) {
      try [AF_INET, AF_INET6].map { try HostPlant.socket($0, SOCK_DGRAM.rawValue, 0) }
    }
    defer { sockets.forEach { close($0) } }
    let places = [IPAddress.v4(0xc000_0209), .v6(0x2001_0db8 << 96 | 9)]
    let seen = zip(sockets, places).map { socket, place in
      ports.filter { (try? HostPlant.send(socket, to: place, port: $0)) != nil }
    }
    return seen[0] == seen[1] ? seen[0] : nil
  }

  @Test(arguments: Killer.calls)
  func `kernel: killed at any message, a scope keeps its policy or has the new one, whole`(
    call: String
  ) throws {
    let policies = try [policy(denies: 7), policy(denies: 9)]
    let isOpen: [[UInt16]] = [[9], [7]]
    var seen = [0, 0]
    try ThrowAwayNamespace.linked {
      #expect(try Weir.run("scope", "add", "--user", "4711", policies[0]).ending == .exit(0))
      #expect(try Weir.run("scope", "add", "--user", "4712", policies[0]).ending == .exit(0))
      for number in 1... {
        try #require(number < Self.mostBoundaries)
        let old = (number + 1) % 2
        let wasKilled = try Killer.run(
          ["scope", "add", "--user", "4711", policies[1 - old]], at: number, of: call)
        let found = try open(4711)
        #expect(found == isOpen[0] || found == isOpen[1], "\(call) \(number)")
        #expect(try open(4712) == isOpen[0], "\(call) \(number)")
        #expect(try open(4713) == [7, 9], "\(call) \(number)")
        #expect(try scopes(of: InstallTarget()).status == .good, "\(call) \(number)")
        if found == isOpen[old] { seen[0] += 1 } else { seen[1] += 1 }
        if !wasKilled {
          #expect(found == isOpen[1 - old])
          break
        }
        let again = ScopeRequest(.user("4711"), policy: try loadPolicy(policies[1 - old]))
        #expect(try bind(again).status == .good)
        #expect(try open(4711) == isOpen[1 - old], "\(call) \(number)")
      }
    }
    print("killed scope changes at \(call): \(seen[0]) left the old policy, \(seen[1]) the new one")
    #expect(seen[0] > 5 && seen[1] > 1)
  }

  @Test(arguments: Killer.calls)
  func `kernel: killed at any message, a quota is as it was or as it is to be`(
    call: String
  ) throws {
    try ThrowAwayNamespace.linked {
      #expect(try Weir.run("quota", "set", "1B", "--user", "4712").ending == .exit(0))
      #expect(try open(4712) == [])
      var seen = [0, 0]
      for number in 1... {
        try #require(number < Self.mostBoundaries)
        let wasKilled = try Killer.run(
          ["quota", "set", "1B", "--user", "4711"], at: number, of: call)
        let found = try open(4711)
        #expect(found == [7, 9] || found == [], "\(call) \(number)")
        #expect(try open(4712) == [], "\(call) \(number)")
        #expect(try open(4713) == [7, 9], "\(call) \(number)")
        if found == [] { seen[1] += 1 } else { seen[0] += 1 }
        if !wasKilled { break }
        #expect(try Weir.run("quota", "set", "1B", "--user", "4711").ending == .exit(0))
        #expect(try open(4711) == [], "\(call) \(number)")
        #expect(try Weir.run("quota", "remove", "--user", "4711").ending == .exit(0))
      }
      print("killed quotas at \(call): \(seen[0]) left none, \(seen[1]) the new one")
      #expect(seen[0] > 2 && seen[1] > 0)
    }
  }

  @Test func `kernel: two that bind scopes at once both succeed`() throws {
    let policies = try [policy(denies: 7), policy(denies: 9)]
    try ThrowAwayNamespace.linked {
      for turn in 0..<8 {
        let users = ["\(5000 + turn)", "\(6000 + turn)"]
        let both = try SideThread.alongside {
          Result { try Weir.run("scope", "add", "--user", users[0], policies[0]).ending }
        } _: {
          try Weir.run("scope", "add", "--user", users[1], policies[1]).ending
        }
        #expect(try both.other.get() == .exit(0))
        #expect(both.own == .exit(0))
        #expect(try open(uid_t(5000 + turn)) == [9])
        #expect(try open(uid_t(6000 + turn)) == [7])
      }
      let list = try Weir.run("scope", "list")
      #expect(list.ending == .exit(0))
      #expect(list.output.contains("16 scopes"), "\(list.output)")
    }
  }
}
