import NetworkTypes
import PolicyLanguage
import Testing

@testable import Operations

/// Published lists as their publishers write them, and what is none.
struct PublishedListTests {
  private func read(_ text: String, _ format: FeedFormat, _ only: String...) throws -> [String] {
    try PublishedList(Array(text.utf8), format, only: only).addresses.blocks.map { "\($0)" }
  }

  private func problem(_ text: String, _ format: FeedFormat, _ only: String...) -> String {
    do throws(PublishedList.Problem) {
      return "\(try PublishedList(Array(text.utf8), format, only: only).addresses.blocks)"
    } catch {
      return error.text
    }
  }

  private static let aws = """
    {"syncToken": "1778036226", "createDate": "2026-05-06-02-57-06",
     "prefixes": [
       {"ip_prefix": "3.4.12.4/32", "region": "eu-west-1", "service": "AMAZON", "more": 1.5},
       {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3"},
       {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON"}],
     "ipv6_prefixes": [
       {"ipv6_prefix": "2406:daf9:a800::/40", "region": "ap-northeast-2", "service": "S3"}]}
    """

  @Test func `each publisher's form gives both families, merged`() throws {
    #expect(
      try read("1.1.1.0/24\r\n# x\n1.1.0.0/24\n2606:4700::/32", .list)
        == ["1.1.0.0/23", "2606:4700::/32"])
    #expect(
      try read(
        #"{"prefixes": [{"ipv4Prefix": "8.8.8.0/24", "scope": "a"}, {"ipv6Prefix": "2404:6800::/32"}]}"#,
        .google) == ["8.8.8.0/24", "2404:6800::/32"])
    #expect(
      try read(Self.aws, .aws) == ["3.4.12.4", "3.5.140.0/22", "2406:daf9:a800::/40"])
    let azure = """
      {"changeNumber": 398, "cloud": "Public", "values": [
        {"name": "Storage", "id": "Storage", "properties": {"region": "",
         "addressPrefixes": ["4.145.74.52/30", "2603:1030::/48"]}}]}
      """
    #expect(try read(azure, .azure) == ["4.145.74.52/30", "2603:1030::/48"])
    #expect(try PublishedList(Array(azure.utf8), .azure).serial == 398)
    let github = """
      {"verifiable_password_authentication": false, "ssh_keys": ["ssh-ed25519 AAAA"],
       "domains": {"website": ["*.github.com"]}, "git": ["192.30.252.0/22", "2a0a:a440::/29"],
       "web": ["140.82.112.0/20"]}
      """
    #expect(
      try read(github, .github) == ["140.82.112.0/20", "192.30.252.0/22", "2a0a:a440::/29"])
    #expect(
      try read(
        #"{"addresses":["23.235.32.0/20"],"ipv6_addresses":["2a04:4e40::/32"]}"#, .fastly)
        == ["23.235.32.0/20", "2a04:4e40::/32"])
    #expect(
      try read(
        #"{"regions": [{"region": "x", "cidrs": [{"cidr": "129.80.0.0/16", "tags": ["OCI"]}]}]}"#,
        .oracle) == ["129.80.0.0/16"])
    #expect(
      try read("5.101.96.0/21,NL,NL-NH,Amsterdam,1098\n2400:6180::/48,SG,,,\n", .csv)
        == ["5.101.96.0/21", "2400:6180::/48"])
  }

  @Test func `parts are chosen by name, and one that is not there is an error`() throws {
    #expect(try read(Self.aws, .aws, "S3") == ["3.5.140.0/22", "2406:daf9:a800::/40"])
    #expect(try read(Self.aws, .aws, "AMAZON.eu-west-1") == ["3.4.12.4"])
    #expect(problem(Self.aws, .aws, "S3", "GLACIER") == "it has no part `GLACIER`")
  }

  @Test(
    arguments: [
      ("", .aws, "it is empty"),
      (" \n", .list, "it is empty"),
      ("<html>", .aws, "it is a page of HTML or XML, not a list"),
      ("{\"prefixes\": [", .google, "it is not written as `google` lists are: it ends early"),
      ("{}", .google, "it has no `prefixes`"),
      ("{\"prefixes\": []}", .google, "it has no addresses"),
      ("{\"prefixes\": [{\"scope\": \"x\"}]}", .google, "neither ipv4Prefix nor ipv6Prefix"),
      ("{\"prefixes\": [{\"ipv4Prefix\": 8}]}", .google, ".prefixes[0].ipv4Prefix is not what"),
      ("{\"prefixes\": [{\"ipv4Prefix\": \"8.8.8.1/24\"}]}", .google, "8.8.8.1/24"),
      ("{\"prefixes\": [{\"ipv4Prefix\": \"010.0.0.0/8\"}]}", .google, "leading zero"),
      ("[1, 2]", .fastly, "it is not what it should be"),
      ("1.1.1.0/24\nmore\n", .list, "line 2: "),
      ("1.1.1.0/24,x\n1.1.1.1/24,x\n", .csv, "line 2: "),
    ] as [(String, FeedFormat, String)])
  func `what is no list is told as such`(text: String, format: FeedFormat, reason: String) {
    #expect(problem(text, format).contains(reason), "\(problem(text, format))")
  }

  @Test func `dates of publishers are seconds of UTC`() throws {
    #expect(secondsSince1970("1970-01-01T00:00:00") == 0)
    #expect(secondsSince1970("2026-05-06-02-57-06") == 1_778_036_226)
    #expect(secondsSince1970("2000-02-29T23:59:59.123456") == 951_868_799)
    for text in ["", "2026-05-06", "2026-13-06T02:57:06", "yesterday at some time o'clock"] {
      #expect(secondsSince1970(text) == nil, "\(text)")
    }
    #expect(try PublishedList(Array(Self.aws.utf8), .aws).dated == 1_778_036_226)
  }
}
