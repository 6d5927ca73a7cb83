// Tests have processes of their own and mostly wait for them: several go on at once, but not so many that a small machine's silos miss each other's probes.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
