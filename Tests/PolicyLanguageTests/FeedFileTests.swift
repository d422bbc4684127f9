import PolicyLanguage
import Testing

/// Feeds files: what they say, and mistakes with the place where they are.
struct FeedFileTests {
  private func parse(_ text: String) -> (feeds: FeedFile?, diagnostics: [Diagnostic]) {
    FeedFileParser.parse(path: "etc/feeds.yaml", source: MemorySource(["etc/feeds.yaml": text]))
  }

  @Test func `a feeds file says where each list comes from and what is believed`() throws {
    let (feeds, diagnostics) = parse(
      """
      feeds: published
      about: Lists of clouds
      lists:
        - to: google.txt
          format: google
          from: [https://example.net/goog.json]
          minus: https://example.net/cloud.json
          every: 6h
          max-age: off
          max-shrink: 0
          max-bytes: 1048576
          authorities: ca.pem
        - {to: /srv/s3.txt, format: aws, only: [S3, EC2.eu-west-1], from: "https://example.net/a",
           space: any}
      """)
    #expect(diagnostics.isEmpty)
    let lists = try #require(feeds).lists
    #expect(lists.map(\.path) == ["etc/google.txt", "/srv/s3.txt"])
    #expect(lists.map(\.everySeconds) == [21_600, 86_400])
    #expect(lists.map(\.maxAgeSeconds) == [nil, 2_592_000])
    #expect(lists.map(\.maxShrinkPercent) == [0, 25])
    #expect(lists.map(\.maxBytes) == [1_048_576, 33_554_432])
    #expect(lists.map(\.authorities) == ["etc/ca.pem", nil])
    #expect(lists.map(\.isPublic) == [true, false])
    #expect(lists[0].from == ["https://example.net/goog.json"])
    #expect(lists[0].minus == ["https://example.net/cloud.json"])
    #expect(lists[1].only == ["S3", "EC2.eu-west-1"])
  }

  @Test(
    arguments: [
      ("feeds: f\n", "there is no `lists:`"),
      ("lists: [{to: a, format: list, from: b}]\n", "there is no `feeds:`"),
      (
        "feeds: f\nlists: [{to: a, format: list}]\n",
        "etc/feeds.yaml:2:9: error: a list has a `from`"
      ),
      ("feeds: f\nlists: [{to: a, format: asw, from: b}]\n", "did you mean `aws`?"),
      (
        "feeds: f\nlists: [{to: a, format: list, from: b, only: c}]\n",
        "has no parts to choose from"
      ),
      ("feeds: f\nlists: [{to: a, format: list, from: b, every: 5s}]\n", "every minute at most"),
      (
        "feeds: f\nlists: [{to: a, format: list, from: b, max-shrink: 101}]\n", "`101` is no number"
      ),
      (
        "feeds: f\nlists: [{to: a, format: list, from: b, max-shrink: 010}]\n", "`010` is no number"
      ),
      ("feeds: f\nlists: [{to: a, format: list, from: b, space: all}]\n", "`all` is no space"),
      ("feeds: f\nlists: [{to: a, format: list, form: b, from: c}]\n", "did you mean `from`?"),
      (
        "feeds: f\nlists:\n  - {to: a, format: list, from: b}\n  - {to: a, format: list, from: c}\n",
        "`etc/a` is written twice"
      ),
    ])
  func `a mistake is told with its place`(text: String, message: String) {
    let (feeds, diagnostics) = parse(text)
    #expect(feeds == nil)
    let rendered = diagnostics.map { $0.render() }.joined()
    #expect(rendered.contains(message), "\(rendered)")
  }
}
