/// A value under `/proc/sys`.
public struct KernelSetting: Hashable, Sendable, Codable {
  /// The path below `/proc/sys`, such as `net/ipv4/ip_forward`.
  public var name: String
  /// What stands there, without the final newline.
  ///
  /// A known reading without a text means that this kernel has no such setting.
  public var reading: Fact<Reading>

  /// What a setting says.
  public struct Reading: Hashable, Sendable, Codable {
    /// The text; nil when the kernel has no such setting.
    public var text: String?

    /// Makes a reading.
    public init(text: String?) { self.text = text }
  }

  /// Makes a setting.
  public init(name: String, reading: Fact<Reading>) {
    self.name = name
    self.reading = reading
  }

  /// Makes a setting that says `text`.
  public init(name: String, text: String?) {
    self.init(name: name, reading: .known(Reading(text: text)))
  }
}
