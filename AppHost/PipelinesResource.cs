using Aspire.Hosting.ApplicationModel;

namespace Ssti.AppHost;

/// <summary>Stands in the dashboard for the folder of pipelines: two buttons for each file, one that runs it and one that opens its last report.</summary>
internal sealed class PipelinesResource(string name) : Resource(name);
