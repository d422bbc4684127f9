import HostFacts
import NetworkTypes
import SeededRandom
import Testing

@testable import LinuxSystem

/// Texts as kernels write them, and as nobody should.
@Suite struct ProcTextTests {
  private static let rawTable = """
      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
       1: 0100007F:00FD 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 12345 2 0000000000000000 0
    """
  private static let rawTable6 = """
      sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
       1: B80D0120000000000000000001000000:003A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 77 2 0000000000000000 0
    """
  private static let packetTable = """
    sk               RefCnt Type Proto  Iface R Rmem   User   Inode
    0000000000000000 3      3    0003   2     1 0      0      4242
    0000000000000000 3      2    0000   0     0 0      1000   4243
    """
  private static let protocolTable = """
    protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em
    PACKET    1600      2      -1   NI       0   no   kernel      n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n
    IUCV SOCK 1600     -1      -1   NI       0   no   af_iucv      n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n
    """
  private static let unixTable = """
    Num       RefCount Protocol Flags    Type St Inode Path
    0000000000000000: 00000002 00000000 00010000 0001 01 501 /run/docker.sock
    0000000000000000: 00000002 00000000 00010000 0001 01 502 @abstract name
    0000000000000000: 00000003 00000000 00000000 0001 03 503
    """
  private static let status = """
    Name:\tmy name\twith tab
    State:\tS (sleeping)
    Pid:\t7
    PPid:\t1
    Uid:\t1000\t1001\t1000\t1000
    CapInh:\t0000000000000000
    CapPrm:\t0000000000003000
    CapEff:\t0000000000002000
    VmSize:\t100 kB
    """
  private static let mounts = """
    20 1 0:19 / /proc rw,nosuid shared:12 - proc proc rw
    90 20 0:4 net:[4026532200] /run/netns/with\\040space rw shared:3 master:4 - nsfs nsfs rw
    91 20 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
    """

  @Test func `addresses of raw sockets are numbers as the machine stores them`() throws {
    let v4 = try HostSocket.all(procText: Array(Self.rawTable.utf8), .ipv4, nil)
    #expect(
      v4 == [
        HostSocket(
          ipProtocol: IPProtocol(rawValue: 253), state: 7, localAddress: .v4(0x7f00_0001),
          localPort: 253, remoteAddress: .v4(0), user: 1000, inode: 12345)
      ])
    let v6 = try HostSocket.all(procText: Array(Self.rawTable6.utf8), .ipv6, .icmpv6)
    #expect(v6.map(\.localAddress) == [.v6(0x2001_0db8 << 96 | 1)])
    #expect(v6.map(\.ipProtocol) == [.icmpv6])
  }

  @Test func `packet sockets are read with link, type and owner`() throws {
    #expect(
      try PacketSocket.all(procText: Array(Self.packetTable.utf8)) == [
        PacketSocket(inode: 4242, type: 3, etherType: 3, link: 2, user: 0),
        PacketSocket(inode: 4243, type: 2, etherType: 0, link: nil, user: 1000),
      ])
  }

  @Test func `a protocol's name may hold a space, and its flags may be more`() throws {
    #expect(
      try SocketCount.all(procText: Array(Self.protocolTable.utf8)) == [
        SocketCount(name: "IUCV SOCK", count: -1), SocketCount(name: "PACKET", count: 2),
      ])
  }

  @Test func `Unix sockets that listen are read with their whole path`() throws {
    #expect(
      try UnixListener.all(procText: Array(Self.unixTable.utf8)) == [
        UnixListener(path: "/run/docker.sock", inode: 501),
        UnixListener(path: "@abstract name", inode: 502),
      ])
  }

  @Test func `a process's status gives its effective user and its capabilities`() throws {
    let status = try ProcessStatus(procText: Array(Self.status.utf8))
    #expect(status.name == "my name with tab")
    #expect(status.user == 1001)
    #expect(status.permitted == 0x3000)
    #expect(status.effective == 0x2000)
    #expect(!status.isKernelThread)
    #expect(!status.hasEnded)
  }

  @Test(arguments: [("Kthread:\t1", true), ("Kthread:\t0", false)])
  func `a kernel that says which threads are its own is believed`(
    line: String, isKernelThread: Bool
  ) throws {
    let status = try ProcessStatus(procText: Array("\(Self.status)\n\(line)\n".utf8))
    #expect(status.isKernelThread == isKernelThread)
  }

  @Test func `a status that a process's name forges is not believed`() throws {
    // The kernel escapes newlines in names, so that a second line of a key is never its own.
    let forged = Self.status + "\nCapEff:\t0000000000000000\n"
    #expect(try ProcessStatus(procText: Array(forged.utf8)).effective == 0x2000)
  }

  @Test(arguments: ["Uid:\t1000\t1001\t1000\t1000", "CapPrm:\t0000000000003000"])
  func `a status without a line that is needed is refused`(line: String) {
    let text = Self.status.split(separator: "\n").filter { $0 != line }.joined(separator: "\n")
    #expect(throws: MalformedText.self) { try ProcessStatus(procText: Array(text.utf8)) }
  }

  @Test func `mounts are read with their root, their path unescaped and their type`() throws {
    let table = try MountTable(procText: Array(Self.mounts.utf8))
    #expect(table.mounts.map(\.type) == ["proc", "nsfs", "cgroup2"])
    #expect(table.mounts[1].root == "net:[4026532200]")
    #expect(table.mounts[1].path == "/run/netns/with space")
  }

  @Test(arguments: [
    ("socket:[12]", ProcLink.socket(inode: 12)), ("net:[9]", .networkNamespace(inode: 9)),
    ("/dev/net/tun", .tun), ("socket:[x]", .other), ("socket:[1", .other), ("", .other),
    ("socket:[99999999999999999999]", .other), ("/tmp/socket:[12]", .other),
  ])
  func `links of descriptors are told apart`(target: String, link: ProcLink) {
    #expect(ProcLink(target: Array(target.utf8)) == link)
  }

  @Test(arguments: [("pos:\t0\niff:\ttun0\n", "tun0"), ("iff:\t(null)\n", nil), ("pos:\t0\n", nil)])
  func `a tun descriptor names its device once it has one`(text: String, name: String?) {
    #expect(ProcessWalk.tunName(Array(text.utf8)) == name)
  }

  @Test func `names of tables are read, and a line that is no name is refused`() throws {
    #expect(try LegacyTables.names(procText: Array("nat\nfilter\n".utf8)) == ["filter", "nat"])
    #expect(throws: MalformedText(line: 2, expected: "a table's name")) {
      try LegacyTables.names(procText: Array("nat\nfil\u{1}ter\n".utf8))
    }
  }

  @Test(arguments: [
    ("1: 0100007F:00FD", 2), ("1: 0100007F:00FD 00000000:0000 07 0 0 0 -5 0 1", 2),
    ("1: 0100007:00FD 00000000:0000 07 0 0 0 5 0 1", 2),
    ("1: 0100007F:10FFD 00000000:0000 07 0 0 0 5 0 1", 2),
  ])
  func `a line that is cut short or out of range refuses the table`(text: String, line: Int) {
    #expect(throws: MalformedText(line: line, expected: "a socket")) {
      try HostSocket.all(procText: Array("head\n\(text)\n".utf8), .ipv4, nil)
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: damaged texts are read or refused, never a crash`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let texts = [
      Self.rawTable, Self.rawTable6, Self.packetTable, Self.protocolTable, Self.unixTable,
      Self.status, Self.mounts,
    ]
    for text in texts {
      var bytes = Array(text.utf8)
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        default: bytes.removeSubrange(place..<min(bytes.count, place + 5))
        }
        if bytes.isEmpty { bytes = [0] }
      }
      let raw = (try? HostSocket.all(procText: bytes, .ipv4, nil)) ?? []
      #expect(raw.count <= bytes.count)
      let raw6 = (try? HostSocket.all(procText: bytes, .ipv6, nil)) ?? []
      #expect(raw6.count <= bytes.count)
      #expect((try? PacketSocket.all(procText: bytes))?.count ?? 0 <= bytes.count)
      #expect((try? SocketCount.all(procText: bytes))?.count ?? 0 <= bytes.count)
      #expect((try? UnixListener.all(procText: bytes))?.count ?? 0 <= bytes.count)
      #expect((try? MountTable(procText: bytes))?.mounts.count ?? 0 <= bytes.count)
      #expect((try? ProcessStatus(procText: bytes))?.name.utf8.count ?? 0 <= 4 * bytes.count)
    }
  }
}
