// Every test has processes of its own, more than a small machine has cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
