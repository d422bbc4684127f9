import NetworkTypes
import TestSupport
import Testing

@testable import LinuxSystem
@testable import NameResolution

/// Tests against a real dnsmasq, in a network namespace that each test makes for itself.
///
/// ```
///   calling thread: Resolver ── lo 127.0.0.1, ::1 ── dnsmasq, port 5353, UDP and TCP
/// ```
@Suite(
  .serialized,
  .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ResolverTests {
  private static func resolve(
    _ names: [String], servers: [Resolver.Server] = [NameServer.v4]
  ) throws -> [NameAnswer] {
    try Resolver(
      .init(servers: servers, timeout: .milliseconds(500), tries: 2, deadline: .seconds(10))
    ).resolve(names)
  }

  @Test(arguments: [NameServer.v4, NameServer.v6])
  func `kernel: a name has its A and its AAAA records`(server: Resolver.Server) throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer(["host-record=both.test,192.0.2.1,2001:db8::1,300"])
      let answers = try Self.resolve(["Both.test."], servers: [server])
      dns.stop()
      #expect(answers.map(\.name) == ["Both.test."])
      let v4 = AddressRecords(addresses: [.v4(0xc000_0201)], timeToLive: 300)
      let v6 = AddressRecords(addresses: [.v6(0x2001_0db8 << 96 | 1)], timeToLive: 300)
      #expect(answers.map(\.v4) == [.success(v4)])
      #expect(answers.map(\.v6) == [.success(v6)])
    }
  }

  @Test func `kernel: a chain of aliases gives its names and its smallest time to live`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer([
        "cname=first.test,second.test,200", "cname=second.test,last.test,100",
        "host-record=last.test,192.0.2.1,300",
      ])
      let answers = try Self.resolve(["first.test"])
      dns.stop()
      let records = try answers[0].v4.get()
      #expect(records.addresses == [.v4(0xc000_0201)])
      #expect(records.aliases == ["second.test", "last.test"])
      #expect(records.timeToLive == 100)
      #expect(answers[0].v6 == .failure(.noAddress))
    }
  }

  @Test func `kernel: each name fails for itself and says why`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer(["host-record=v6.known.test,2001:db8::1,300", "local=/known.test/"])
      let answers = try Self.resolve([
        "absent.known.test", "v6.known.test", "elsewhere.test", "192.0.2.1",
      ])
      dns.stop()
      #expect(
        answers.map(\.v4) == [
          .failure(.noSuchName), .failure(.noAddress), .failure(.refused), .failure(.notAHostName),
        ])
      #expect(answers[0].v6 == .failure(.noSuchName))
      #expect(try answers[1].v6.get().addresses == [.v6(0x2001_0db8 << 96 | 1)])
      #expect(answers[2].v6 == .failure(.refused))
      #expect(answers[3].v6 == .failure(.notAHostName))
    }
  }

  @Test func `kernel: a private address from a lying server is refused by within`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer([
        "host-record=smtp.gmail.com,10.0.0.25,64:ff9b::a00:19,300"
      ])
      let answer = try Self.resolve(["smtp.gmail.com"])[0]
      dns.stop()
      let filter = AnswerFilter(
        within: AddressSet(v4: IntervalSet([Interval(0x4a7d_0000, 0x4a7d_ffff)]), v6: .full))
      let inside = IPAddress.v4(0x0a00_0019)
      let v4 = filter.judge(try answer.v4.get().addresses)
      #expect(v4.accepted == [])
      #expect(v4.refused == [RefusedAddress(address: inside, judgedAs: inside)])
      let v6 = filter.judge(try answer.v6.get().addresses)
      #expect(v6.accepted == [])
      #expect(v6.refused.map(\.judgedAs) == [inside])
    }
  }

  @Test func `kernel: a server that never answers ends in a timeout, after its tries`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer([])
      dns.freeze()
      var answers: [NameAnswer] = []
      let took = try ContinuousClock().measure {
        answers = try Resolver(
          .init(servers: [NameServer.v4], timeout: .milliseconds(100), tries: 2)
        ).resolve(["a.test"])
      }
      dns.stop()
      #expect(answers.map(\.v4) == [.failure(.timedOut)])
      #expect(answers.map(\.v6) == [.failure(.timedOut)])
      #expect(took >= .milliseconds(100) && took < .seconds(5))
    }
  }

  @Test func `kernel: the deadline ends what the tries would not`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer([])
      dns.freeze()
      var answers: [NameAnswer] = []
      let took = try ContinuousClock().measure {
        answers = try Resolver(
          .init(
            servers: [NameServer.v4], timeout: .seconds(60), tries: 10,
            deadline: .milliseconds(200), concurrency: 3)
        ).resolve(["a.test", "b.test", "c.test"])
      }
      dns.stop()
      #expect(answers.map(\.v4) == Array(repeating: .failure(.timedOut), count: 3))
      #expect(answers.map(\.v6) == Array(repeating: .failure(.timedOut), count: 3))
      #expect(took >= .milliseconds(200) && took < .seconds(5))
    }
  }

  @Test func `kernel: no more questions are open than the concurrency allows`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer([])
      dns.freeze()
      let channel = try Channel(timeoutMilliseconds: 60_000, tries: 1, servers: [NameServer.v4])
      let run = ResolutionRun(["a.test", "b.test", "c.test"])
      #expect((0..<6).map { _ in run.askNext(on: channel, upTo: 4) }.filter { $0 }.count == 4)
      channel.cancel()
      #expect((0..<6).map { _ in run.askNext(on: channel, upTo: 4) }.filter { $0 }.count == 2)
      channel.cancel()
      dns.stop()
      #expect(run.isDone)
      #expect(run.answers.map(\.v4) == Array(repeating: .failure(.timedOut), count: 3))
    }
  }

  @Test func `kernel: a port where nobody listens is a refusal, at once`() throws {
    try ThrowAwayNamespace.run {
      var answers: [NameAnswer] = []
      let took = try ContinuousClock().measure {
        answers = try Resolver(
          .init(servers: [NameServer.v4, NameServer.v6], timeout: .seconds(9))
        )
        .resolve(["a.test"])
      }
      #expect(answers.map(\.v4) == [.failure(.refused)])
      #expect(answers.map(\.v6) == [.failure(.refused)])
      #expect(took < .seconds(5))
    }
  }

  @Test func `kernel: the second server answers, at once, what the first one refuses`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer(["address=/test/192.0.2.1", "address=/test/2001:db8::1"])
      let dead = Resolver.Server(address: .v4(0x7f00_0009), port: 9)
      var answers: [NameAnswer] = []
      let took = try ContinuousClock().measure {
        answers = try Resolver(.init(servers: [dead, NameServer.v4], timeout: .seconds(9)))
          .resolve((0..<200).map { "n\($0).test" })
      }
      dns.stop()
      #expect(answers.count == 200)
      for answer in answers {
        #expect(try answer.v4.get().addresses == [.v4(0xc000_0201)])
        #expect(try answer.v6.get().addresses == [.v6(0x2001_0db8 << 96 | 1)])
      }
      #expect(took < .seconds(5))
    }
  }

  @Test func `kernel: an address that moved is live beside the old one until that expires`() throws
  {
    try ThrowAwayNamespace.run {
      func renew(_ live: LiveAddresses, _ record: String, now: UInt64) throws -> LiveAddresses {
        let dns = try NameServer(["host-record=\(record)"])
        defer { dns.stop() }
        let records = try Self.resolve(["moving.test"])[0].v4.get()
        return live.renewed(
          with: records.addresses, timeToLive: records.timeToLive, grace: 60, now: now)
      }
      let first = try renew(LiveAddresses(), "moving.test,192.0.2.1,300", now: 0)
      let second = try renew(first, "moving.test,192.0.2.2,300", now: 300)
      #expect(second.expiries == [.v4(0xc000_0201): 360, .v4(0xc000_0202): 660])
      let third = try renew(second, "moving.test,192.0.2.2,300", now: 600)
      #expect(third.expiries == [.v4(0xc000_0202): 960])
    }
  }

  @Test func `kernel: an answer too long for a datagram is fetched over TCP, and bounded`() throws {
    try ThrowAwayNamespace.run {
      let dns = try NameServer(
        [], hosts: (1...70).map { "2001:db8::\(String($0, radix: 16)) many.test" })
      let records = try Self.resolve(["many.test"])[0].v6.get()
      dns.stop()
      #expect(records.addresses == (1...64).map { .v6(0x2001_0db8 << 96 | $0) })
      #expect(records.omitted == 6)
    }
  }

  @Test func `kernel: a thousand names take less than a second`() throws {
    try ThrowAwayNamespace.run {
      let names = (0..<1_000).map { "n\($0).test" }
      let dns = try NameServer(
        ["local-ttl=120"],
        hosts: (0..<1_000).flatMap {
          [
            "198.18.\($0 / 256).\($0 % 256) n\($0).test",
            "2001:db8::\($0 / 10):\($0 % 10) n\($0).test",
          ]
        })
      var answers: [NameAnswer] = []
      let took = try ContinuousClock().measure { answers = try Self.resolve(names) }
      dns.stop()
      #expect(answers.map(\.name) == names)
      for (index, answer) in answers.enumerated() {
        #expect(try answer.v4.get().addresses == [.v4(0xc612_0000 + UInt32(index))])
        #expect(try answer.v6.get().addresses.count == 1)
        #expect(try answer.v6.get().timeToLive == 120)
      }
      print("1 000 names, both families: \(took)")
      #expect(took < .seconds(1))
    }
  }
}
