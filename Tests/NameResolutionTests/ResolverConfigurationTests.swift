import NetworkTypes
import Testing

@testable import NameResolution

@Suite struct ResolverConfigurationTests {
  @Test func `no names need no server`() throws {
    #expect(try Resolver().resolve([]) == [])
  }

  @Test func `a server is written with its port, IPv6 in brackets`() {
    #expect(Resolver.Server(address: .v4(0xc000_0235)).description == "192.0.2.53:53")
    #expect(Resolver.Server(address: .v6(1), port: 5353).description == "[::1]:5353")
  }

  @Test func `what is no host name is answered without asking anybody`() throws {
    let answers = try Resolver().resolve(["8.8.8.8", "a b", ""])
    #expect(answers.map(\.name) == ["8.8.8.8", "a b", ""])
    #expect(answers.map(\.v4) == Array(repeating: .failure(.notAHostName), count: 3))
    #expect(answers.map(\.v6) == Array(repeating: .failure(.notAHostName), count: 3))
  }

  @Test(arguments: [
    Resolver.Configuration(servers: []),
    Resolver.Configuration(servers: [.init(address: .v4(1), port: 0)]),
    Resolver.Configuration(timeout: .zero), Resolver.Configuration(timeout: .seconds(61)),
    Resolver.Configuration(tries: 0), Resolver.Configuration(tries: 11),
    Resolver.Configuration(deadline: .zero), Resolver.Configuration(deadline: .seconds(3_601)),
    Resolver.Configuration(concurrency: 0), Resolver.Configuration(concurrency: 1_001),
  ])
  func `settings that make no sense are refused`(configuration: Resolver.Configuration) {
    #expect(throws: NameResolutionError.self) { try Resolver(configuration) }
  }
}
