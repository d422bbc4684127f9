/// Hands the packet to a program; terminal, and the program decides.
///
/// Without a listener the packet is dropped, or with bypass goes on at the next base chain.
///
/// Source: `net/netfilter/nft_queue.c`.
public struct Queue: Hashable, Sendable {
  /// The first queue.
  public var number: UInt16
  /// Over how many queues flows are spread.
  public var total: UInt16
  /// 1 bypass, 2 fanout by CPU.
  public var flags: UInt16
  /// The register with the queue number, which takes the place of `number` and `total`.
  public var register: Register?

  /// Makes it.
  public init(
    number: UInt16 = 0, total: UInt16 = 1, flags: UInt16 = 0, register: Register? = nil
  ) {
    self.number = number
    self.total = total
    self.flags = flags
    self.register = register
  }
}
