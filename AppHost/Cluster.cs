using Aspire.Hosting.ApplicationModel;

namespace Ssti.AppHost;

/// <summary>How services and submitters find each other and their artifacts.</summary>
/// <param name="Connect">Tells a project where the cluster and the artifacts are.</param>
/// <param name="Address">What <c>ssti run --cluster</c> takes.</param>
internal sealed record Cluster(Func<IResourceBuilder<ProjectResource>, IResourceBuilder<ProjectResource>> Connect, ReferenceExpression Address)
{
    /// <summary>What the first service is told besides, where it keeps the membership.</summary>
    public Func<IResourceBuilder<ProjectResource>, IResourceBuilder<ProjectResource>>? ToBeFirst { get; init; }

    /// <summary>What the others are told besides, where the first keeps the membership.</summary>
    public Func<IResourceBuilder<ProjectResource>, IResourceBuilder<ProjectResource>>? ToJoin { get; init; }

    /// <summary>Connects the first service.</summary>
    public IResourceBuilder<ProjectResource> First(IResourceBuilder<ProjectResource> service) => ToBeFirst is { } more ? more(Connect(service)) : Connect(service);

    /// <summary>Connects another service.</summary>
    public IResourceBuilder<ProjectResource> Other(IResourceBuilder<ProjectResource> service, IResourceBuilder<ProjectResource> first) =>
        ToJoin is { } more ? more(Connect(service)).WaitFor(first) : Connect(service);

    /// <summary>Makes of <c>ssti</c> a run of a pipeline on the services.</summary>
    /// <param name="ssti">The project.</param>
    /// <param name="file">The pipeline's file.</param>
    /// <param name="store">The folder for what a run leaves on this machine.</param>
    public IResourceBuilder<ProjectResource> Run(IResourceBuilder<ProjectResource> ssti, string file, string store) =>
        Connect(ssti).WithEnvironment("SSTI_STORE", store).WithArgs("run", file, "--cluster").WithArgs(context => context.Args.Add(Address));
}
