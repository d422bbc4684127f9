import ArgumentParser

@main
struct Weir: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what may leave this machine; know that nothing else does.")
}
