import Glibc
import LinuxSystem
import Testing

@Suite struct SideThreadTests {
  private struct Failure: Error {}

  @Test func `both sides run, each on a thread of its own`() throws {
    let here = pthread_self()
    let threads = try SideThread.alongside {
      pthread_self()
    } _: {
      pthread_self()
    }
    #expect(threads.own == here)
    #expect(threads.other != here)
  }

  @Test func `what the own side throws is thrown`() {
    #expect(throws: Failure.self) {
      _ = try SideThread.alongside {
        1
      } _: {
        throw Failure()
      }
    }
  }
}
