import ConnectionReplay
import LinuxSystem
import Testing

@Suite struct UserNamespaceTests {
  @Test(.enabled(if: UserNamespace.isNeeded, "root needs no user namespace"))
  func `a process with threads cannot enter one, and is told why`() {
    let error = #expect(throws: LinuxError.self) { try UserNamespace.enter() }
    guard case .userNamespacesUnavailable(.threads(let count)) = error else {
      Issue.record("expected threads, got \(String(describing: error))")
      return
    }
    #expect(count > 1)
  }

  @Test(.enabled(if: !UserNamespace.isNeeded, "an ordinary user needs a user namespace"))
  func `who may make namespaces stays where they are`() throws {
    let before = try NetworkNamespace.current().identity
    try UserNamespace.enter()
    #expect(try NetworkNamespace.current().identity == before)
    #expect(Capabilities.effective().contains(.systemAdministration))
  }

  @Test(arguments: [
    (UserNamespace.Obstacle.threads(5), "before the second thread"),
    (.limit("0"), "sysctl user.max_user_namespaces=1000"),
    (.switchedOff, "sysctl kernel.unprivileged_userns_clone=1"),
    (.appArmor, "kernel.apparmor_restrict_unprivileged_userns is 1"),
    (.refused(operation: "unshare", errno: .notPermitted), "seccomp profile"),
  ])
  func `every obstacle says what to do about it`(
    obstacle: UserNamespace.Obstacle, words: String
  ) {
    #expect("\(LinuxError.userNamespacesUnavailable(obstacle))".contains(words))
  }
}
