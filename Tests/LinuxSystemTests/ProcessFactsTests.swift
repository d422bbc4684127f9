import LinuxSystem
import Testing

@Suite struct ProcessFactsTests {
  @Test func `the process knows its memory, its threads and the time`() {
    #expect(ProcessFacts.residentBytes() > 1 << 20)
    #expect(ProcessFacts.peakResidentBytes() >= ProcessFacts.residentBytes() / 2)
    #expect(ProcessFacts.threadCount() >= 1)
    let before = ProcessFacts.monotonicNanoseconds()
    #expect(ProcessFacts.monotonicNanoseconds() >= before)
  }

  @Test func `a setting that is not there is nil`() {
    #expect(ProcessFacts.kernelSetting("net/none/such") == nil)
    #expect(ProcessFacts.kernelSetting("kernel/ostype") == "Linux")
  }
}
