import CCurl
import Glibc

/// Fetches published lists over HTTPS, within limits.
public enum FeedTransfer {
  /// Why nothing usable came.
  public enum Failure: Error, Hashable, Sendable {
    /// The address is neither `https://…` nor `http://` to the loopback; the payload is the address.
    case insecure(String)
    /// The body is longer than the limit.
    case tooLarge(limitBytes: Int)
    /// What libcurl says, in words.
    case failed(String)
  }

  /// The whole body that an address answers with.
  ///
  /// Redirections are followed, five at most and to HTTPS only; what is compressed counts at its full
  /// size; a body that ends early is an error. Proxies are those of the environment.
  ///
  /// - Parameters:
  ///   - address: `https://host/path`; `http://` for 127.0.0.1 and [::1] only.
  ///   - authorities: a file of certificate authorities in PEM; nil for the system's.
  ///   - limitBytes: the most bytes that are acceptable.
  ///   - timeoutSeconds: for the whole transfer.
  /// - Returns: the body, not yet checked to be anything.
  /// - Throws: ``Failure``.
  public static func fetch(
    _ address: String, authorities: String? = nil, limitBytes: Int, timeoutSeconds: Int = 60
  ) throws(Failure) -> [UInt8] {
    let isLoopback = isLoopback(address)
    guard isLoopback || address.lowercased().hasPrefix("https://") else {
      throw .insecure(address)
    }
    var reply = unsafe curl_door_reply()
    // Safe: libcurl is given copies that live until it is back, and the body is freed once.
    let words = unsafe [address, isLoopback ? "http,https" : "https"].map { (word: String) in
      unsafe strdup(word)
    }
    let file = unsafe authorities.map { unsafe strdup($0) } ?? nil
    defer {
      unsafe words.forEach { unsafe free($0) }
      unsafe free(file)
      unsafe free(reply.bytes)
    }
    var request = unsafe curl_door_request(
      url: words[0], schemes: words[1], authorities: file, limit_bytes: limitBytes,
      timeout_seconds: timeoutSeconds)
    let outcome = unsafe curl_door_fetch(&request, &reply)
    if unsafe reply.is_too_long != 0 { throw .tooLarge(limitBytes: limitBytes) }
    guard outcome == 0 else {
      let problem = unsafe withUnsafeBytes(of: reply.problem) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw .failed(problem)
    }
    return unsafe [UInt8](UnsafeBufferPointer(start: reply.bytes, count: reply.count))
  }

  /// Whether an address is plain HTTP to this machine, where nobody else can listen in.
  static func isLoopback(_ address: String) -> Bool {
    ["http://127.0.0.1", "http://[::1]"].contains { start in
      guard address.hasPrefix(start) else { return false }
      let rest = address.dropFirst(start.count)
      // `http://127.0.0.1:x@example.com` is a user and a password, not a place.
      let place = rest.prefix { $0 != "/" }
      return place.isEmpty || place.first == ":" && place.dropFirst().allSatisfy(\.isNumber)
    }
  }
}
