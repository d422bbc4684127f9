public import ArgumentParser
public import Operations

// Enumerations of Operations that are command-line values, by their raw values.

extension PrintFormat: ExpressibleByArgument {}
extension Rung: ExpressibleByArgument {}
extension VerifiedScope: ExpressibleByArgument {}
