// Each test starts five processes or more, and small machines have two cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
