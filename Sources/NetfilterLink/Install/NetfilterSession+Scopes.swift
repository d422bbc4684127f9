public import Bytecode

extension NetfilterSession where Transport: ~Copyable {
  /// Changes which scopes there are and what judges them; packets of the others see nothing of it.
  ///
  /// Policies that are not there yet are loaded where no packet reaches them, read back and compared;
  /// then one transaction, valid only if nobody changed the ruleset since, changes the elements that
  /// differ; what it left is read back and compared too. Killed at any point, each scope has its old
  /// policy or its new one, whole.
  ///
  /// With ``ScopeChange/lookup`` only the elements in question are read, and the policies in question;
  /// all is read when base chains or maps are not as they should be.
  ///
  /// - Returns: the table as it was read back; nil when there is none any more.
  /// - Throws: ``InstallError``.
  public mutating func change(
    _ change: ScopeChange, in table: TableIdentifier
  ) throws(InstallError) -> Table? {
    var installer = ScopeInstaller(change, table)
    for _ in 0..<Self.installAttempts {
      do throws(InstallFailure) {
        return try installer.run(&self)
      } catch {
        switch error {
        case .step(let cause) where cause.isWorthAnotherAttempt: continue
        case .step(let cause): throw .kernel(cause, standing: .unclear)
        case .refusal(let refusal): throw refusal
        }
      }
    }
    throw .keepsChanging(attempts: Self.installAttempts, standing: .unclear)
  }
}
